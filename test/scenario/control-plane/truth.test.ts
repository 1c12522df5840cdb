import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { cases } from './truth-cases.ts';
import { compare, type Compared } from './truth-run.ts';
import { deviation, median, truthPage, truthTable } from './truth-table.ts';

const done: Compared[] = [];

describe('a plan', () => {
  it.for(cases)('says of a cluster with $name how long it takes, and what never moves', async (truthCase) => {
    const compared = await compare(truthCase, process.env['TRUTH_KEEP']);
    done.push(compared);
    const { predicted, real } = compared;
    console.log(`${truthCase.name}: predicted ${Math.round(predicted.makespanMs)} ms, real ${real.makespanMs} ms`);
    expect(predicted.blockedPods).toEqual(real.blockedPods);
    expect(predicted.blockedNodes).toEqual(real.blockedNodes);
    expect(real.blockedNodes).toHaveLength(truthCase.stuckNodes);
    expect(Math.abs(deviation(compared)), 'difference of the makespan').toBeLessThan(0.1);
  });

  it('is within 5 % of the truth in the median', () => {
    expect(done).toHaveLength(cases.length);
    expect(median(done.map((each) => Math.abs(deviation(each))))).toBeLessThan(0.05);
  });

  afterAll(() => {
    if (done.length === 0) return;
    console.log(truthTable(done));
    const page = process.env['TRUTH_TABLE'];
    if (page !== undefined && done.length === cases.length) writeFileSync(page, truthPage(done));
  });
});
