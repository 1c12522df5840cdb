import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { controlPlaneBed, realNodesBed } from './beds.ts';
import type { TruthBed, TruthCase } from './case.ts';
import { compare, type Compared } from './compare.ts';
import { controlPlaneCases } from './control-plane-cases.ts';
import { realNodesCases } from './real-nodes-cases.ts';
import { deviation, median, truthPage, truthTable } from './table.ts';

const done: Compared[] = [];
const count = controlPlaneCases.length + realNodesCases.length;

function checkAll<Case extends TruthCase>(bed: TruthBed<Case>, cases: readonly Case[]): void {
  it.for(cases)(`says of a cluster with $name (${bed.name}) how long it takes, and what never moves`, async (truthCase) => {
    const compared = await compare(bed, truthCase, process.env['TRUTH_KEEP']);
    done.push(compared);
    const { predicted, real } = compared;
    console.log(`${truthCase.name}: predicted ${Math.round(predicted.makespanMs)} ms, real ${real.makespanMs} ms`);
    expect(predicted.blockedPods).toEqual(real.blockedPods);
    expect(predicted.blockedNodes).toEqual(real.blockedNodes);
    expect(real.blockedNodes).toHaveLength(truthCase.stuckNodes);
    expect(Math.abs(deviation(compared)), 'difference of the makespan').toBeLessThan(0.1);
  });
}

describe('a plan', () => {
  checkAll(controlPlaneBed, controlPlaneCases);
  checkAll(realNodesBed, realNodesCases);

  it('is within 5 % of the truth in the median', () => {
    expect(done).toHaveLength(count);
    expect(median(done.map((each) => Math.abs(deviation(each))))).toBeLessThan(0.05);
  });

  afterAll(() => {
    if (done.length === 0) return;
    console.log(truthTable(done));
    const page = process.env['TRUTH_TABLE'];
    if (page !== undefined && done.length === count) writeFileSync(page, truthPage(done));
  });
});
