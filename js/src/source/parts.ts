import type { PartRequest, Reply } from "../protocol.gen";
import { bytesOf, inflate } from "./codec";
import type { Errand } from "./errands";
import type { Fault, PartName } from "./source";

interface Waiting {
	readonly name: PartName;
	readonly done: (module: string) => void;
	readonly failed: (error: Error) => void;
}

/** Parts of the renderer on their way from the kernel, one after the other. */
export class Parts implements Errand {
	readonly kind = "part";
	#waiting: Waiting[] = [];

	want(name: PartName): Promise<string> {
		return new Promise((done, failed) => this.#waiting.push({ name, done, failed }));
	}

	next(): Omit<PartRequest, "id" | "shown"> | null {
		const [first] = this.#waiting;
		return first ? { kind: "part", name: first.name } : null;
	}

	async heard(_: Reply, [module]: readonly DataView[]): Promise<void> {
		const waiting = this.#waiting.shift();
		if (waiting && module) waiting.done(new TextDecoder().decode(await inflate(bytesOf(module))));
	}

	failed({ message }: Fault): void {
		for (const { failed } of this.#waiting) failed(new Error(message));
		this.#waiting = [];
	}

	lost(fault: Fault): void {
		this.failed(fault);
	}
}
