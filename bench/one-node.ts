/** One node, 30 pods that nothing protects: the bare cost of a drain in time and in requests. */
import type { ControlPlane } from '../test/beds/control-plane.ts';
import { until } from '../test/beds/api-call.ts';
import { node } from '../test/beds/objects.ts';
import { createNodes, seed } from '../test/beds/seed.ts';
import { createPolicy, droverDrain, kubectlDrain, startBenchBed, startController, trigger, untilDrained } from './bench-bed.ts';
import { runProgram } from './child.ts';
import { type Client, type Meta, openClient } from './client.ts';
import { countRequests, type Requests, requestsInWords } from './requests.ts';
import { type Bench, median, shown, spread } from './result.ts';

const RUNS = 5;
const PODS = 30;
const SETTLE_MS = 2_000;
// A controller goes on for a while after the node is empty: its status, its events.
const AFTERWARDS_MS = 10_000;

interface PodView {
  readonly metadata: Meta;
  readonly spec: { readonly nodeName?: string };
}

interface Run {
  /** Milliseconds from the trigger until all pods had a deletionTimestamp, and until all were gone. */
  readonly evicted: number;
  readonly gone: number;
  readonly requests: Requests;
}

/** Begins a drain; resolves with the moment that counts as its start and with its end. */
type Begin = (nodeName: string) => Promise<{ readonly began: number; readonly ended: Promise<unknown> }>;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function drainOnce(bed: ControlPlane, client: Client, name: string, user: string, begin: Begin): Promise<Run> {
  const { nodes, namespaces } = await seed(bed, { nodes: 1, podsPerNode: PODS, replicas: PODS, prefix: name });
  const [nodeName = ''] = nodes;
  const staying = new Set<string>();
  const deleting = new Map<string, number>();
  const gone = new Map<string, number>();
  const watch = await client.watch<PodView>(
    `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeName}`,
    ({ type, object: { metadata }, at }) => {
      staying.add(metadata.uid);
      if ((metadata.deletionTimestamp !== undefined || type === 'DELETED') && !deleting.has(metadata.uid))
        deleting.set(metadata.uid, at);
      if (type === 'DELETED') gone.set(metadata.uid, at);
    },
  );
  if (staying.size !== PODS) throw new Error(`node ${nodeName} runs ${staying.size} pods, not ${PODS}`);
  await pause(SETTLE_MS);

  const from = bed.auditMark();
  const { began, ended } = await begin(nodeName);
  await Promise.all([ended, until(`node ${nodeName} to be empty`, async () => gone.size >= PODS)]);
  const requests = await countRequests(bed, user, from);
  watch.stop();

  const [namespace = ''] = namespaces;
  await bed.api({ method: 'DELETE', path: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}-0` });
  await until(`the pods of ${name} to be gone`, async () => {
    const { items } = await bed.api<{ items: unknown[] }>({ path: `/api/v1/namespaces/${namespace}/pods` });
    return items.length === 0;
  });
  return { evicted: Math.max(...deleting.values()) - began, gone: Math.max(...gone.values()) - began, requests };
}

export const oneNode: Bench = {
  title: `One node with ${PODS} pods of one Deployment, no budget`,
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
      await createNodes(
        bed.api,
        [0, 1, 2].map((index) => node(`spare-${index}`)),
      );
      const times = async (prefix: string, user: string, begin: Begin) => {
        const all: Run[] = [];
        for (let run = 0; run < runs; run++) {
          say(`${prefix}, ${run + 1} of ${runs}`);
          all.push(await drainOnce(bed, client, `${prefix}-${run}`, user, begin));
        }
        return all;
      };
      const byCommand =
        (command: (nodeName: string) => [string, ...string[]]): Begin =>
        async (nodeName) => {
          const ended = runProgram(command(nodeName));
          return { began: performance.now(), ended };
        };

      const peer = await times(
        'kubectl',
        'peer',
        byCommand((name) => kubectlDrain(bed, name)),
      );
      const cli = await times(
        'cli',
        'drover',
        byCommand((name) => droverDrain(bed, context, name, '--handover', 'never')),
      );
      const gentle = await times(
        'handover',
        'drover',
        byCommand((name) => droverDrain(bed, context, name)),
      );
      await createPolicy(bed, { handover: 'Never' });
      const controller = await startController(bed, context);
      const ours = await times('controller', 'drover', async (nodeName) => {
        const began = await trigger(client, nodeName);
        const ended = untilDrained(bed, [nodeName], 120_000).then(() => pause(AFTERWARDS_MS));
        return { began, ended };
      });
      await controller.stop();

      const seconds = (all: readonly Run[], which: 'evicted' | 'gone') => all.map((run) => run[which] / 1_000);
      const totals = (all: readonly Run[]) => all.map(({ requests }) => requests.total);
      const row = (who: string, all: readonly Run[]) => [
        who,
        spread(seconds(all, 'evicted')),
        spread(seconds(all, 'gone')),
        spread(totals(all)),
        spread(all.map(({ requests }) => requests.lease)),
      ];
      const evicted = {
        peer: median(seconds(peer, 'evicted')),
        ours: median(seconds(ours, 'evicted')),
        cli: median(seconds(cli, 'evicted')),
      };
      const words = (who: string, all: readonly Run[]) => {
        const [last] = all.slice(-1);
        return last ? `Requests of ${who} (last run): ${requestsInWords(last.requests)}.` : '';
      };
      return {
        tables: [
          {
            columns: ['who', 'all evicted, s (least / median / most)', 'all gone, s', 'requests', 'of its Lease'],
            rows: [
              row('drover controller, handover Never', ours),
              row('drover drain --handover never', cli),
              row('drover drain', gentle),
              row('kubectl drain', peer),
            ],
          },
        ],
        bars: [
          { what: 'controller: all evicted, median', measured: evicted.ours, bar: 0.5, unit: 's' },
          { what: 'controller: all evicted, against kubectl', measured: evicted.ours / evicted.peer, bar: 0.12, unit: 'x' },
          {
            what: '`drover drain`: all evicted, against kubectl (both from process start)',
            measured: evicted.cli / evicted.peer,
            bar: 0.12,
            unit: 'x',
          },
          { what: '`drover drain`: requests, median', measured: median(totals(cli)), bar: 34, unit: 'requests' },
          {
            what: 'controller: requests with its status and events, median',
            measured: median(totals(ours)),
            bar: 45,
            unit: 'requests',
          },
        ],
        how: [
          `${runs} runs each on one control plane, a fresh node each; ${PODS} pods of one Deployment get Ready there while all other nodes are cordoned, then those are given back and ${SETTLE_MS / 1_000} s pass. Pods stop and start at once.`,
          'From the request with the taint, or from the start of the process, until an independent watch shows a deletionTimestamp on the last pod.',
          `Requests from the audit log by user: of a command until its end, of the controller until ${AFTERWARDS_MS / 1_000} s after the maintenance is Drained. A watch counts once, when it is opened.`,
          '`drover drain` without a flag keeps the application up: the last Ready pod of the Deployment is handed over, which here takes as long as its replacement; kubectl stops all 30 at once.',
          words('the controller', ours),
          words('`drover drain --handover never`', cli),
          words('`kubectl drain`', peer),
          `The controller takes ${shown(evicted.ours / evicted.peer)} x kubectl’s time.`,
        ],
        broken: [],
      };
    }
  },
};
