import { beforeEach, describe, expect, test } from "vitest";
import type { EffectStudied, HeadStudied, Study } from "../src/protocol.gen";
import type { Errands } from "../src/source/errands";
import { Studies } from "../src/source/studies";

const HEAD: Study = { of: "head", layer: 0, head: 1 };
const OTHER_HEAD: Study = { of: "head", layer: 0, head: 2 };
const EFFECT: Study = { of: "effect", edits: [], at: null };
const SWEEP: Study = {
	of: "sweep",
	over: "heads",
	layer: 0,
	head: 0,
	query: null,
	key: null,
	at: null,
};
const NAMED: HeadStudied = { of: "head", labels: [], why: "" };
const CHANGED: EffectStudied = {
	of: "effect",
	about: "",
	odds: [],
	kl: 0,
	distance: null,
	said: "",
	python: "",
	notes: [],
};
const ID = { id: "r", kind: "study" } as const;

describe("studies", () => {
	let studies: Studies;
	let runs: string[];
	beforeEach(() => {
		runs = [];
		const at: Errands = {
			errand: (_, make) => make(at),
			newId: () => `run ${runs.push("") - 1}`,
			wake: () => {},
		};
		studies = new Studies(at);
	});

	test("of one kind the newest is worked on, and an answer to the one before is dropped", () => {
		studies.ask(HEAD);
		expect(studies.next(false)?.run).toBe("run 0");
		studies.ask(OTHER_HEAD);
		studies.heard({ ...ID, progress: 1, studied: NAMED });
		expect(studies.of(OTHER_HEAD)?.kind).toBe("running");
		expect(studies.next(false)?.run).toBe("run 1");
		studies.heard({ ...ID, progress: 1, studied: NAMED });
		expect(studies.of(OTHER_HEAD)?.kind).toBe("done");
		expect(studies.of(HEAD)).toBeUndefined();
	});

	test("a look is asked for between the polls of a run", () => {
		studies.ask(SWEEP);
		studies.next(false);
		studies.heard({ ...ID, progress: 0.3, studied: null });
		studies.ask(HEAD);
		const asked = [0, 1].map(() => {
			const { run } = studies.next(false) ?? {};
			studies.heard({ ...ID, progress: 0.5, studied: null });
			return run;
		});
		expect(asked.sort()).toEqual(["run 0", "run 1"]);
	});

	test("only one of them runs the model", () => {
		studies.ask(SWEEP);
		studies.ask(EFFECT);
		expect(studies.running?.study).toBe(EFFECT);
		expect(studies.of(SWEEP)).toBeUndefined();
	});

	test("what is known isn't asked again, unless a person wants it again", () => {
		studies.ask(EFFECT);
		studies.next(false);
		studies.heard({ ...ID, progress: 1, studied: CHANGED });
		studies.ask(EFFECT);
		expect(studies.next(false)).toBeNull();
		studies.again(EFFECT);
		expect(studies.next(false)?.run).toBe("run 1");
	});

	test("numbers come in between", () => {
		studies.ask(SWEEP);
		const turns = [0, 1, 2, 3].map(() => studies.next(true) !== null);
		expect(turns.filter(Boolean)).toHaveLength(2);
	});

	test("a failure is told of what was asked, and a lost kernel of all", () => {
		studies.ask(EFFECT);
		studies.ask(HEAD);
		studies.next(false);
		studies.failed({ message: "no edit is switched on", detail: "" });
		const failed = studies.of(EFFECT);
		expect(failed?.kind === "failed" && failed.fault.message).toBe("no edit is switched on");
		studies.lost({ message: "gone", detail: "" });
		expect(studies.of(HEAD)?.kind).toBe("failed");
	});
});
