/** Applications behind NodePorts, and what requests from outside the cluster see while something is done to its nodes. */
import { until } from '../../beds/api-call.ts';
import { type KubeObject, namespace, service } from '../../beds/objects.ts';
import { type ProbeReport, startProbe } from '../../beds/probe.ts';
import type { RealNodesBed } from '../../beds/real-nodes.ts';
import type { Cluster } from '../cluster.ts';

export interface App {
  readonly namespace: string;
  /** How many pods the Service has. */
  readonly pods: number;
  readonly objects: (namespace: string) => readonly KubeObject[];
  /** Default: the pods with app=web. */
  readonly selector?: Readonly<Record<string, string>>;
}

interface ServiceObject {
  readonly spec: { readonly ports: readonly { readonly nodePort: number }[] };
}

/** Makes the app and a NodePort Service `web`. @returns one URL per node, when every pod has answered through every node. */
export async function serve(bed: RealNodesBed, cluster: Cluster, app: App): Promise<string[]> {
  const ns = app.namespace;
  const web = service(ns, 'web');
  const spec = { ...(web['spec'] as object), type: 'NodePort', selector: app.selector ?? { app: 'web' } };
  await cluster.create(namespace(ns), ...app.objects(ns), { ...web, spec });
  await cluster.readyPods(ns, app.pods);
  const made = await cluster.api<ServiceObject>({ path: `/api/v1/namespaces/${ns}/services/web` });
  const urls = bed.nodePortUrls(made.spec.ports[0]?.nodePort ?? 0);
  for (const url of urls) {
    const names = new Set<string>();
    await until(`all ${app.pods} pods to answer through ${url}`, async () => {
      names.add(await (await fetch(url, { headers: { connection: 'close' } })).text());
      return names.size >= app.pods;
    });
  }
  return urls;
}

// What a change has broken shows in the requests after it, too.
const AFTERWARDS_MS = 2_000;

/** Requests at a fixed rate from before `work` until a moment after it, and what became of them. */
export async function underTraffic(urls: readonly string[], rate: number, work: () => Promise<void>): Promise<ProbeReport> {
  const probe = await startProbe({ url: urls, rate });
  try {
    await work();
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS_MS));
  } catch (error) {
    await probe.stop();
    throw error;
  }
  return probe.stop();
}

/** A table of what was sent and lost, a row for each run. */
export function printFigures(title: string, reports: Readonly<Record<string, ProbeReport>>): void {
  console.log(title);
  console.table(
    Object.entries(reports).map(([what, { sent, failed, byCause, p50, p99, maxMs }]) => ({
      what,
      sent,
      lost: failed,
      causes: Object.entries(byCause)
        .map(([cause, count]) => `${count} ${cause}`)
        .join(', '),
      'p50 ms': Math.round(p50),
      'p99 ms': Math.round(p99),
      'max ms': Math.round(maxMs),
    })),
  );
}
