/**
 * What the conformance cases observe on a real control plane is what has been recorded of one (test/golden/conformance); the simulated
 * cluster is held against the same recordings without any bed. DROVER_RECORD=1 records anew.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import type { Case } from '../../conformance/case.ts';
import { subjects } from '../../conformance/cases.ts';
import { openRealDoor } from '../../conformance/real-door.ts';
import { readRecording, writeRecording } from '../../conformance/recording.ts';
import { namespaceOf, observe } from '../../conformance/run-case.ts';
import { createSubject } from '../../conformance/subject.ts';

const AT_ONCE = 24;
const RECORD = process.env['DROVER_RECORD'] === '1';

let bed: ControlPlane;
let door: ReturnType<typeof openRealDoor>;
/** By subject and name: what was seen, or what went wrong. */
const outcomes = new Map<Case, PromiseSettledResult<unknown>>();

/** Pods are refused in a namespace until its account is there. */
async function runCase(which: Case, namespace: string): Promise<unknown> {
  const subject = await createSubject(door, namespace);
  await subject.eventually(
    'the default service account',
    async () => (await subject.get('serviceaccounts', 'default')).code,
    (code) => code === 200,
  );
  return observe(which, subject);
}

beforeAll(async () => {
  bed = await startControlPlane();
  door = openRealDoor(bed);
  const all = Object.entries(subjects).flatMap(([subject, cases]) =>
    cases.map((each, index) => ({ each, namespace: namespaceOf(subject, index) })),
  );
  const rest = all.sort((a, b) => Number(b.each.slow ?? false) - Number(a.each.slow ?? false));
  const worker = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) {
      const [outcome] = await Promise.allSettled([runCase(next.each, next.namespace)]);
      outcomes.set(next.each, outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
});

afterAll(async () => {
  door?.close();
  await bed?.stop();
});

for (const [subject, cases] of Object.entries(subjects)) {
  describe(subject, () => {
    const recorded = readRecording(subject);
    const observed: Record<string, unknown> = {};

    it.each(cases)('$name', (which) => {
      const outcome = outcomes.get(which);
      if (outcome?.status !== 'fulfilled') throw outcome?.reason ?? new Error('was not run');
      observed[which.name] = outcome.value;
      if (!RECORD) expect(outcome.value).toEqual(recorded[which.name]);
    });

    if (RECORD) afterAll(() => writeRecording(subject, { ...recorded, ...observed }));
    else
      it('has no recording of a case that is gone', () =>
        expect(Object.keys(recorded).sort()).toEqual(cases.map(({ name }) => name).sort()));
  });
}
