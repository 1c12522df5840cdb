/** Maintenance windows from the label to the drained node: the whole controller on a simulated cluster, in virtual time. */
import { expect, it } from 'vitest';
import { first, second, startOnSimulation } from '../../test/controller-on-simulation.ts';

const nightly = { timeZone: 'Europe/Amsterdam', windows: [{ start: '22:00', end: '22:05' }] };

it('a node waits for the window, starts when it opens by the clock alone, and is finished after it has closed', async () => {
  const cluster = await startOnSimulation({ schedule: nightly });
  cluster.setBudgets(0);
  cluster.label(first);
  cluster.label(second);

  await cluster.to('01T12:10');
  expect(cluster.status(first)).toMatchObject({
    phase: 'Pending',
    waitingFor: {
      cause: 'OutsideWindow',
      owner: { kind: 'MaintenancePolicy', name: 'nightly' },
      message: 'policy nightly starts nothing before Mon 2026-06-01 22:00 Europe/Amsterdam, when its next window opens',
      unblock: `time, or \`drover run-now ${first}\``,
    },
    conditions: expect.arrayContaining([expect.objectContaining({ type: 'Blocked', status: 'False' })]),
  });
  // The wait is one timer: no pass is made meanwhile, and nothing is written or marked.
  const quiet = cluster.passes();
  const versions = [first, second].map((name) => cluster.node(name)?.metadata.resourceVersion);
  await cluster.to('01T19:59:59');
  expect(cluster.passes()).toBe(quiet);
  expect([first, second].map((name) => cluster.node(name)?.metadata.resourceVersion)).toEqual(versions);
  expect(cluster.node(first)?.spec).toEqual({});

  await cluster.to('01T20:00:10');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining', startedAt: '2026-06-01T20:00:00Z' });
  expect(cluster.decisions().map(({ waitingFor }) => waitingFor?.cause)).toEqual(['BudgetNeverAllows', 'MaxNodes']);
  const isMarked = () => cluster.node(second)?.spec?.taints?.some(({ key }) => key.startsWith('drover.dev/')) ?? false;
  expect(isMarked()).toBe(true);

  // It closes: that is the reason of the second now, and its mark goes. The first goes on.
  await cluster.to('01T20:05:05');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'OutsideWindow' } });
  expect(isMarked()).toBe(false);
  cluster.setBudgets(1);
  await cluster.to('01T20:15');
  expect(cluster.status(first)).toMatchObject({ phase: 'Drained' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'OutsideWindow' } });

  await cluster.to('02T20:10');
  expect(cluster.status(second)).toMatchObject({ phase: 'Drained', startedAt: '2026-06-02T20:00:00Z' });
  await cluster.stop();
});

it('run-now starts a node outside the window, within all other limits', async () => {
  const cluster = await startOnSimulation({ schedule: nightly });
  cluster.label(first);
  cluster.label(second);
  await cluster.to('01T12:10');
  cluster.setBudgets(0);
  cluster.runNow(first);
  cluster.runNow(second);
  await cluster.to('01T12:11');
  expect(cluster.status(first)).toMatchObject({ phase: 'Draining' });
  expect(cluster.status(second)).toMatchObject({ phase: 'Pending', waitingFor: { cause: 'MaxNodes' } });
  cluster.setBudgets(1);
  await cluster.to('01T12:30');
  expect([first, second].map((name) => cluster.status(name).phase)).toEqual(['Drained', 'Drained']);
  await cluster.stop();
});

it('finishInside starts no second node when the first has shown that there is no time for it', async () => {
  const cluster = await startOnSimulation({
    schedule: { windows: [{ start: '20:00', end: '20:10' }], finishInside: true, expect: '1m' },
  });
  cluster.label(first);
  cluster.label(second);
  cluster.setBudgets(0);
  await cluster.to('01T20:06');
  cluster.setBudgets(1);
  await cluster.to('01T20:09');
  // It took 6 of the 10 minutes.
  expect(cluster.status(first)).toMatchObject({ phase: 'Drained' });
  expect(cluster.status(second)).toMatchObject({
    phase: 'Pending',
    waitingFor: {
      cause: 'WindowTooShort',
      message: expect.stringMatching(
        /^the window of policy nightly closes Mon 2026-06-01 20:10 UTC and a drain may take 6m\d+s; one that is long enough opens Tue 2026-06-02 20:00 UTC$/,
      ),
    },
  });
  await cluster.to('02T20:05');
  expect(cluster.status(second)).toMatchObject({ phase: 'Drained' });
  await cluster.stop();
});
