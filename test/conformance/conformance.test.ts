/**
 * The simulated cluster against what a real control plane answered (the files beside this one, recorded by
 * test/scenario/control-plane/conformance.test.ts): the same cases, case by case, each on a cluster of its own in virtual time.
 */
import { describe, expect, it } from 'vitest';
import type { Case } from './case.ts';
import { subjects } from './cases.ts';
import { differences } from './differences.ts';
import { readRecording } from './recording.ts';
import { namespaceOf, observe } from './run-case.ts';
import { openSimulatedDoor } from './simulated-door.ts';
import { createSubject } from './subject.ts';

const START = Date.parse('2026-01-05T08:00:00Z');

/** Moves the clock for as long as the case waits for something. */
async function observeSimulated(which: Case, namespace: string): Promise<unknown> {
  const door = openSimulatedDoor(START);
  const state = { over: false };
  try {
    const observed = createSubject(door, namespace)
      .then((subject) => observe(which, subject))
      .finally(() => (state.over = true));
    // told by the await below; without this a case that fails while the clock runs would end the process
    observed.catch(() => {});
    while (!state.over) await door.clock.run({ stop: () => state.over });
    return await observed;
  } finally {
    door.stop();
  }
}

const all = Object.entries(subjects).flatMap(([subject, cases]) => cases.map((each) => `${subject}: ${each.name}`));

describe('the list of differences', () => {
  it('names cases that there are', () => {
    expect(Object.keys(differences).filter((name) => !all.includes(name))).toEqual([]);
  });
});

for (const [subject, cases] of Object.entries(subjects)) {
  describe(subject, () => {
    const recorded = readRecording(subject);
    for (const [index, which] of cases.entries()) {
      const because = differences[`${subject}: ${which.name}`];
      it(because === undefined ? which.name : `${which.name} - differs: ${because}`, async () => {
        const observed = observeSimulated(which, namespaceOf(subject, index));
        if (because === undefined) expect(await observed).toEqual(recorded[which.name]);
        else expect(await observed.catch((error: unknown) => String(error))).not.toEqual(recorded[which.name]);
      });
    }
  });
}
