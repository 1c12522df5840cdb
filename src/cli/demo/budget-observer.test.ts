import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../lib/clock.ts';
import { pods } from '../../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../../sim/cluster.ts';
import { loadScenario } from '../../sim/scenario/load.ts';
import { readScenario } from '../../sim/scenario/read.ts';
import { observeBudgets } from './budget-observer.ts';

async function bed(maxUnavailable: number | string) {
  const clock = createVirtualClock(0);
  const cluster = createSimulatedCluster({ clock });
  const workloads = [{ name: 'web', replicas: 4, budget: { maxUnavailable } }];
  loadScenario(cluster, readScenario({ pools: [{ name: 'a', count: 2 }], workloads }, 'x'), 'x');
  await clock.advance(60_000);
  const observer = observeBudgets(cluster.api);
  const remove = () => {
    const [pod] = cluster.api.list(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    cluster.api.remove(pods, 'default', pod?.metadata.name ?? '');
  };
  return { clock, observer, remove };
}

describe('observeBudgets', () => {
  it('sees nothing wrong while a budget is kept', async () => {
    const { clock, observer, remove } = await bed(1);
    for (let n = 0; n < 3; n++) {
      remove();
      await clock.advance(60_000);
    }
    expect(observer.records()).toEqual([
      { namespace: 'default', name: 'web', replicas: 4, demands: 3, ready: 4, fewest: 3, violations: 0, firstAt: null },
    ]);
  });

  it('counts each pod that goes although the budget forbids it', async () => {
    const { observer, remove } = await bed('10%'); // rounds up to 1
    remove();
    remove();
    remove();
    expect(observer.records()).toMatchObject([{ demands: 3, ready: 1, fewest: 1, violations: 2, firstAt: 60_000 }]);
  });
});
