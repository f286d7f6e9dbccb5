import { beforeEach, describe, expect, test } from "vitest";
import type { EffectStudied, HeadStudied, Study } from "../src/protocol.gen";
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
	beforeEach(() => {
		studies = new Studies();
	});

	test("of one kind the newest is worked on, and an answer to the one before is dropped", () => {
		studies.ask(HEAD, "a");
		expect(studies.next(false)?.run).toBe("a");
		studies.ask(OTHER_HEAD, "b");
		studies.heard({ ...ID, progress: 1, studied: NAMED });
		expect(studies.of(OTHER_HEAD)?.kind).toBe("running");
		expect(studies.next(false)?.run).toBe("b");
		studies.heard({ ...ID, progress: 1, studied: NAMED });
		expect(studies.of(OTHER_HEAD)?.kind).toBe("done");
		expect(studies.of(HEAD)).toBeUndefined();
	});

	test("a look is asked for between the polls of a run", () => {
		studies.ask(SWEEP, "run");
		studies.next(false);
		studies.heard({ ...ID, progress: 0.3, studied: null });
		studies.ask(HEAD, "look");
		const asked = [0, 1].map(() => {
			const { run } = studies.next(false) ?? {};
			studies.heard({ ...ID, progress: 0.5, studied: null });
			return run;
		});
		expect(asked.sort()).toEqual(["look", "run"]);
	});

	test("only one of them runs the model", () => {
		studies.ask(SWEEP, "a");
		studies.ask(EFFECT, "b");
		expect(studies.running?.study).toBe(EFFECT);
		expect(studies.of(SWEEP)).toBeUndefined();
	});

	test("what is known isn't asked again, until it is forgotten", () => {
		studies.ask(EFFECT, "a");
		studies.next(false);
		studies.heard({ ...ID, progress: 1, studied: CHANGED });
		expect(studies.ask(EFFECT, "b")).toBe(false);
		expect(studies.next(false)).toBeNull();
		studies.forget(EFFECT);
		expect(studies.ask(EFFECT, "c")).toBe(true);
	});

	test("numbers come in between", () => {
		studies.ask(SWEEP, "a");
		const turns = [0, 1, 2, 3].map(() => studies.next(true) !== null);
		expect(turns.filter(Boolean)).toHaveLength(2);
	});

	test("a failure is told of what was asked, and a lost kernel of all", () => {
		studies.ask(EFFECT, "a");
		studies.ask(HEAD, "b");
		studies.next(false);
		studies.failed({ message: "no edit is switched on", detail: "" });
		const failed = studies.of(EFFECT);
		expect(failed?.kind === "failed" && failed.fault.message).toBe("no edit is switched on");
		studies.lost({ message: "gone", detail: "" });
		expect(studies.of(HEAD)?.kind).toBe("failed");
	});
});
