import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import type { CommandResult, RunCommand } from '../command.ts';
import { createChecks, type TemporaryProblem } from './checks.ts';
import { readCheckConfig } from './plugin-config.ts';
import type { Verdict } from './verdict.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const SECOND = 1_000;

interface Setup {
  readonly holdMs?: number;
  readonly before?: Verdict & { readonly since: number };
  readonly rules?: readonly object[];
  readonly plugin?: object;
}

function bench({ holdMs = 0, before, rules, plugin = {} }: Setup = {}) {
  const clock = createVirtualClock(NOW);
  const results = new Map<string, Partial<CommandResult>>();
  const problems: TemporaryProblem[] = [];
  let running = 0;
  let most = 0;
  const run: RunCommand = async ({ path }) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running -= 1;
    return { code: 0, stdout: '', stderr: '', why: '', ...results.get(path) };
  };
  const config = {
    plugin: 'custom',
    pluginConfig: plugin,
    source: 'monitor',
    conditions: [{ type: 'Disk', reason: 'DiskIsWell', message: 'the disk is well' }],
    rules: rules ?? [{ type: 'permanent', condition: 'Disk', reason: 'DiskIsSlow', path: 'slow' }],
  };
  const checks = createChecks({
    configs: [readCheckConfig(JSON.stringify(config), 'disk.json')],
    run,
    clock,
    holdMs,
    before: () => before ?? null,
    onProblem: (problem) => problems.push(problem),
  });
  return {
    clock,
    checks,
    problems,
    most: () => most,
    /** Every rule once, with these exit codes. */
    async look(codes: Readonly<Record<string, Partial<CommandResult>>>) {
      for (const [path, result] of Object.entries(codes)) results.set(path, result);
      const readings = await Promise.all(checks.sources.map((source) => source.read([], new AbortController().signal)));
      expect(readings.flatMap(({ signals }) => signals)).toEqual([]);
      const [verdict] = checks.verdicts();
      return verdict && [verdict.status, verdict.reason, verdict.message];
    },
  };
}

const two = [
  { type: 'permanent', condition: 'Disk', reason: 'DiskIsSlow', path: 'slow' },
  { type: 'permanent', condition: 'Disk', reason: 'DiskIsFull', path: 'full' },
];
const well = ['False', 'DiskIsWell', 'the disk is well'];

describe('checks', () => {
  it('say nothing before they have run', () => {
    expect(bench().checks.verdicts()).toEqual([]);
  });

  it.each([
    [{ code: 0, stdout: 'fine' }, well],
    [{ code: 1, stdout: ' took 9 s\n' }, ['True', 'DiskIsSlow', 'took 9 s']],
    [{ code: 2, stdout: 'what?' }, ['Unknown', 'DiskIsWell', 'what?']],
    [{ code: null, why: 'did not end within 5 s' }, ['Unknown', 'DiskIsWell', 'slow did not end within 5 s']],
  ])('that end with %j make the condition %j', async (result, expected) => {
    expect(await bench().look({ slow: result })).toEqual(expected);
  });

  it('tell what they said, cut to its longest', async () => {
    const { look } = bench({ plugin: { max_output_length: 10 } });
    expect(await look({ slow: { code: 1, stdout: 'abcdefghijklmnop' } })).toEqual(['True', 'DiskIsSlow', 'abcdefg...']);
  });

  it('of one condition: the worst counts, and neither takes back what the other says', async () => {
    const { look } = bench({ rules: two });
    expect(await look({ slow: { code: 0 }, full: { code: 1, stdout: '99 %' } })).toEqual(['True', 'DiskIsFull', '99 %']);
    expect(await look({ slow: { code: 3, stdout: 'eh' } })).toEqual(['True', 'DiskIsFull', '99 %']);
    expect(await look({ full: { code: 0 } })).toEqual(['Unknown', 'DiskIsWell', 'eh']);
    expect(await look({ slow: { code: 0 } })).toEqual(well);
  });

  it('of one condition have a name each', () => {
    expect(
      bench({ rules: [...two, { type: 'temporary', reason: 'Disk', path: 'x' }] }).checks.sources.map(({ name }) => name),
    ).toEqual(['check-Disk', 'check-Disk-2', 'check-Disk-3']);
  });

  it('that flap change nothing until they have lasted', async () => {
    const { look, clock, checks } = bench({ holdMs: 30 * SECOND });
    expect(await look({ slow: { code: 1, stdout: 'slow' } })).toEqual(well);
    await clock.advance(20 * SECOND);
    expect(await look({ slow: { code: 0 } })).toEqual(well);
    await clock.advance(20 * SECOND);
    expect(await look({ slow: { code: 1, stdout: 'slow' } })).toEqual(well);
    await clock.advance(30 * SECOND);
    expect(await look({})).toEqual(['True', 'DiskIsSlow', 'slow']);
    expect(checks.signals()).toEqual([
      {
        kind: 'CustomCheck',
        source: 'check',
        id: 'Disk',
        since: '2026-01-01T12:01:10Z',
        revocable: true,
        message: 'DiskIsSlow: slow',
      },
    ]);
    expect(await look({ slow: { code: 0 } })).toEqual(['True', 'DiskIsSlow', 'slow']);
    await clock.advance(30 * SECOND);
    expect(await look({})).toEqual(well);
    expect(checks.signals()).toEqual([]);
  });

  it('keep what the node said before a restart until they have run, and a sick node sick', async () => {
    const before = { type: 'Disk', status: 'True', reason: 'DiskIsSlow', message: 'old', since: NOW - 3_600_000 } as const;
    const { look, checks } = bench({ holdMs: 30 * SECOND, before });
    expect(checks.verdicts()).toMatchObject([{ status: 'True', message: 'old' }]);
    expect(checks.signals()).toMatchObject([{ since: '2026-01-01T11:00:00Z' }]);
    expect(await look({ slow: { code: 0 } })).toEqual(['True', 'DiskIsSlow', 'old']);
  });

  it('tell another message of the same status only where that is wanted', async () => {
    for (const wanted of [false, true]) {
      const { look } = bench({ plugin: { enable_message_change_based_condition_update: wanted } });
      await look({ slow: { code: 1, stdout: 'one' } });
      expect((await look({ slow: { code: 1, stdout: 'two' } }))?.[2]).toBe(wanted ? 'two' : 'one');
    }
  });

  it('that are temporary tell a problem when it begins and every five minutes, and have no condition', async () => {
    const { look, clock, problems, checks } = bench({ rules: [{ type: 'temporary', reason: 'Hiccup', path: 'h' }] });
    await look({ h: { code: 1, stdout: 'hic' } });
    await look({});
    await clock.advance(300 * SECOND);
    await look({});
    await look({ h: { code: 0 } });
    await look({ h: { code: 7, stdout: 'eh' } });
    expect(problems).toEqual([
      { from: 'monitor', reason: 'Hiccup', message: 'hic' },
      { from: 'monitor', reason: 'Hiccup', message: 'hic' },
      { from: 'monitor', reason: 'Hiccup', message: 'eh' },
    ]);
    expect(checks.verdicts()).toEqual([]);
  });

  it('run no more at once than their file allows', async () => {
    const rules = Array.from({ length: 5 }, (_, index) => ({ type: 'temporary', reason: `R${index}`, path: `p${index}` }));
    const { look, most } = bench({ rules, plugin: { concurrency: 2 } });
    await look({});
    expect(most()).toBe(2);
  });
});
