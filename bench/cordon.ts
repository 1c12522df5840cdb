/** From the reason to the cordon: how soon does a node that is to go take no more pods? */
import type { ControlPlane } from '../test/beds/control-plane.ts';
import { node } from '../test/beds/objects.ts';
import { createNodes } from '../test/beds/seed.ts';
import { BENCH_TAINT, createPolicy, droverDrain, kubectlDrain, startBenchBed, startController, trigger } from './bench-bed.ts';
import { runProgram } from './child.ts';
import { type Client, type Meta, openClient } from './client.ts';
import { type Bench, median, percentile, shown } from './result.ts';

const RUNS = 30;
// The controller writes the status of the run before at most two seconds later; runs are apart so that each meets it idle.
const REST_MS = 2_500;

interface NodeView {
  readonly metadata: Meta;
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly { readonly key: string }[] };
}

/** Calls `begin`, which gives the moment that counts, and waits until an independent watch shows the node cordoned. @returns ms */
async function untilCordoned(client: Client, nodeName: string, begin: () => Promise<number>): Promise<number> {
  let cordoned: (at: number) => void = () => {};
  const seen = new Promise<number>((resolve) => (cordoned = resolve));
  const watch = await client.watch<NodeView>(`/api/v1/nodes?fieldSelector=metadata.name%3D${nodeName}`, ({ object, at }) => {
    if (object.spec.unschedulable) cordoned(at);
  });
  // The list's connection has become the watch's: without another one, the clock would hold a TLS handshake of this client.
  await client.send({ path: `/api/v1/nodes/${nodeName}` });
  const began = await begin();
  const at = await seen;
  watch.stop();
  return at - began;
}

/** Nothing but a watch and a PATCH: what the bed itself needs. Watches all nodes until stopped. */
async function startBareLoop(client: Client): Promise<{ stop(): void }> {
  const patched = new Set<string>();
  return client.watch<NodeView>('/api/v1/nodes?labelSelector=type%3Dkwok', ({ object: { metadata, spec } }) => {
    if (patched.has(metadata.name) || !spec.taints?.some(({ key }) => key === BENCH_TAINT)) return;
    patched.add(metadata.name);
    void client.send({ method: 'PATCH', path: `/api/v1/nodes/${metadata.name}`, body: { spec: { unschedulable: true } } });
  });
}

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS));

export const cordon: Bench = {
  title: 'From the reason to the cordon',
  async run(context) {
    const { runs = RUNS, say } = context;
    const bed = await startBenchBed();
    try {
      return await measure(bed);
    } finally {
      await bed.stop();
    }

    async function measure(bed: ControlPlane) {
      const client = openClient(bed, 'bench');
      const names = (prefix: string) => Array.from({ length: runs }, (_, index) => `${prefix}-${index}`);
      await createNodes(
        bed.api,
        ['controller', 'bare', 'cli', 'kubectl'].flatMap(names).map((name) => node(name)),
      );
      const byCommand = async (prefix: string, command: (name: string) => [string, ...string[]]) => {
        const times: number[] = [];
        for (const name of names(prefix)) {
          let ended: Promise<unknown> = Promise.resolve();
          times.push(
            await untilCordoned(client, name, async () => {
              const began = performance.now();
              ended = runProgram(command(name));
              return began;
            }),
          );
          await ended;
        }
        return times;
      };

      say('kubectl drain, drover drain');
      const peer = await byCommand('kubectl', (name) => kubectlDrain(bed, name));
      const cli = await byCommand('cli', (name) => droverDrain(bed, context, name));

      say('drover controller');
      await createPolicy(bed);
      const controller = await startController(bed, context);
      const byTaint = async (prefix: string) => {
        const times: number[] = [];
        for (const name of names(prefix)) {
          await rest();
          times.push(await untilCordoned(client, name, () => trigger(client, name)));
        }
        return times;
      };
      const ours = await byTaint('controller');
      await controller.stop();

      say('a bare loop');
      const loop = await startBareLoop(openClient(bed, 'peer'));
      const bare = await byTaint('bare');
      loop.stop();

      const row = (who: string, from: string, times: readonly number[]) => [
        who,
        from,
        shown(Math.min(...times)),
        shown(median(times)),
        shown(percentile(times, 0.95)),
      ];
      return {
        tables: [
          {
            columns: ['who', 'from', 'least, ms', 'median', 'p95'],
            rows: [
              row('drover controller', 'the taint is sent', ours),
              row('a bare loop', 'the taint is sent', bare),
              row('drover drain', 'process start', cli),
              row('kubectl drain', 'process start', peer),
            ],
          },
        ],
        bars: [
          { what: 'taint to cordoned, median', measured: median(ours), bar: 10, unit: 'ms' },
          { what: 'the same, over a bare loop', measured: median(ours) / median(bare), bar: 1.6, unit: 'x' },
        ],
        how: [
          `${runs} runs each, a fresh empty node each time, on one control plane.`,
          'The clock starts right before the request with the taint (or the process) is sent, and stops when a watch of another user shows the node unschedulable: it holds the request itself, the watch of Drover, its PATCH, and the watch of the observer.',
          'The bare loop is a watch of all nodes and a PATCH as soon as the taint is seen, without a policy, an object or a journal: less than it takes no program can take on this bed.',
          'The controller is idle before each run; the median of kubectl over the median of the controller is ' +
            `${shown(median(peer) / median(ours))}.`,
        ],
        broken: [],
      };
    }
  },
};
