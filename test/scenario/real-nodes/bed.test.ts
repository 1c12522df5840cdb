import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../beds/api-call.ts';
import { apply, kubectl } from '../../beds/kubectl.ts';
import { appTemplate, deployment, service } from '../../beds/objects.ts';
import { startProbe } from '../../beds/probe.ts';
import { type RealNodes, startRealNodes } from '../../beds/real-nodes.ts';

let bed: RealNodes;
let urls: string[];

beforeAll(async () => {
  bed = await startRealNodes({ nodes: 3, labels: { pool: 'old' } });
  const web = deployment('default', 'web', 4, appTemplate({ readyAfterMs: 500, onTerm: 'drain', graceMs: 1000 }));
  await apply(bed.kubeconfig, web, service('default', 'web', { spec: { type: 'NodePort' } }));
  await kubectl(bed.kubeconfig, 'rollout', 'status', 'deployment/web', '--timeout=90s');
  const port = await kubectl(bed.kubeconfig, 'get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].nodePort}');
  urls = bed.nodePortUrls(Number(port));
  for (const url of urls) await until(`${url} to answer`, async () => (await fetch(url)).ok);
});

afterAll(async () => {
  await bed?.stop();
});

interface NodeView {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly status: { readonly nodeInfo: { readonly bootID: string } };
}

const readNode = (name: string) => bed.api<NodeView>({ path: `/api/v1/nodes/${name}` });

describe('real-nodes bed', () => {
  it('loses none of 5,000 requests while nothing happens: what a drain loses is not the bed', async () => {
    const probe = await startProbe({ url: urls, rate: 250 });
    await new Promise((resolve) => setTimeout(resolve, 20_100));
    const report = await probe.stop();
    console.log(`${report.sent} sent, ${report.failed} lost, p50 ${report.p50.toFixed(1)} ms, p99 ${report.p99.toFixed(1)} ms`);
    expect(report.sent).toBeGreaterThanOrEqual(5000);
    expect(report.failures).toEqual([]);
  });

  it('serves through every node, from every pod', async () => {
    const names = new Set<string>();
    await until('each of 4 pods to answer', async () => {
      for (const url of urls) names.add((await (await fetch(url, { headers: { connection: 'close' } })).text()).trim());
      return names.size === 4;
    });
    const pods = await kubectl(bed.kubeconfig, 'get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}');
    expect([...names].sort()).toEqual(pods.split(' ').sort());
  });

  it('sees a machine that is cut off as lost requests', async () => {
    const probe = await startProbe({ url: urls[2] ?? '', rate: 50, timeoutMs: 500 });
    bed.nodeDown(3);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const report = await probe.stop();
    expect(report.failed).toBeGreaterThan(0);
    await bed.nodeUp(3);
    await until('node3 to answer again', async () => (await fetch(urls[2] ?? '')).ok);
  });

  it('gives a node another boot id with each reboot, and keeps its labels', async () => {
    const before = await readNode('node2');
    await bed.nodeReboot(2);
    const after = await readNode('node2');
    expect(after.status.nodeInfo.bootID).not.toBe(before.status.nodeInfo.bootID);
    expect(after.metadata.labels.pool).toBe('old');
    await kubectl(bed.kubeconfig, 'rollout', 'status', 'deployment/web', '--timeout=90s');
  });

  it('takes another node of another pool', async () => {
    await bed.nodeUp(4, { pool: 'new' });
    expect((await readNode('node4')).metadata.labels.pool).toBe('new');
    await expect(bed.nodeUp(4)).rejects.toThrow('node4 is up already');
  });
});
