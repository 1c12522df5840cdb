import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../beds/api-call.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { apply, kubectl } from '../../beds/kubectl.ts';
import { podAnnotations } from '../../beds/kwok-stages.ts';
import { deployment, job, node, pod, podDisruptionBudget } from '../../beds/objects.ts';
import { createNodes, seed } from '../../beds/seed.ts';

let bed: ControlPlane;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', users: [{ name: 'guest', groups: ['guests'] }] });
});

afterAll(async () => {
  await bed?.stop();
});

interface PodView {
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const readPod = (name: string) => bed.api<PodView>({ path: `/api/v1/namespaces/default/pods/${name}` });
const annotate = (name: string, annotations: Record<string, string | null>) =>
  bed.api({ method: 'PATCH', path: `/api/v1/namespaces/default/pods/${name}`, body: { metadata: { annotations } } });
const ready = ({ status }: PodView) => status.conditions?.find(({ type }) => type === 'Ready')?.status;

describe('control-plane bed', () => {
  it('seeds exactly the pods asked for onto each node, and kubectl drains one within the budgets', async () => {
    const seeded = await seed(bed, { nodes: 3, podsPerNode: 10, replicas: 5, budget: { maxUnavailable: 1 } });
    await createNodes(bed.api, [node('spare')]);
    const { items } = await bed.api<{ items: PodView[] }>({ path: '/api/v1/pods' });
    const perNode = seeded.nodes.map((name) => items.filter(({ spec }) => spec.nodeName === name).length);
    expect(perNode).toEqual([10, 10, 10]);

    const mark = bed.auditMark();
    await kubectl(bed.kubeconfigFor('peer'), 'drain', 'seed-0');
    const evictions = await bed.auditLog({ from: mark, user: 'peer', verb: 'create', resource: 'pods', subresource: 'eviction' });
    expect(evictions.filter(({ code }) => code === 201)).toHaveLength(10);
    const after = await bed.api<{ items: PodView[] }>({ path: '/api/v1/pods?fieldSelector=spec.nodeName%3Dseed-0' });
    expect(after.items).toEqual([]);
  });

  it('keeps a pod unready for as long as its annotation says so', async () => {
    await apply(bed.kubeconfig, pod('default', 'moody', { metadata: { annotations: { [podAnnotations.ready]: 'never' } } }));
    await until('moody to run', async () => (await readPod('moody')).status.phase === 'Running');
    expect(ready(await readPod('moody'))).toBe('False');
    await annotate('moody', { [podAnnotations.ready]: null });
    await until('moody to be Ready', async () => ready(await readPod('moody')) === 'True');
    await annotate('moody', { [podAnnotations.ready]: 'never' });
    await until('moody to be unready again', async () => ready(await readPod('moody')) === 'False');
  });

  it('lets a pod with a finalizer stop, and go when the finalizer does', async () => {
    await apply(bed.kubeconfig, pod('default', 'held', { metadata: { finalizers: ['beds.drover.dev/hold'] } }));
    await until('held to run', async () => (await readPod('held')).status.phase === 'Running');
    await kubectl(bed.kubeconfig, 'delete', 'pod', 'held', '--wait=false');
    await until('held to have stopped', async () => (await readPod('held')).status.phase === 'Failed');
    await bed.api({ method: 'PATCH', path: '/api/v1/namespaces/default/pods/held', body: { metadata: { finalizers: null } } });
    await kubectl(bed.kubeconfig, 'wait', '--for=delete', 'pod/held', '--timeout=30s');
  });

  it('completes the pod of a Job', async () => {
    const metadata = { annotations: { [podAnnotations.completeMs]: '100' } };
    await apply(bed.kubeconfig, job('default', 'once', { spec: { template: { metadata } } }));
    await kubectl(bed.kubeconfig, 'wait', '--for=condition=Complete', 'job/once', '--timeout=30s');
  });

  it('freezes a component: no budget is counted while the controller manager stands still', async () => {
    bed.pauseComponent('kube-controller-manager');
    await apply(bed.kubeconfig, deployment('default', 'still', 2), podDisruptionBudget('default', 'still', { minAvailable: 1 }));
    const budget = () => kubectl(bed.kubeconfig, 'get', 'pdb', 'still', '-o', 'jsonpath={.status.observedGeneration}');
    expect(await budget()).toBe('');
    bed.resumeComponent('kube-controller-manager');
    await until('the budget to be counted', async () => (await budget()) === '1');
    expect(bed.usage()['kube-controller-manager']?.rssBytes).toBeGreaterThan(1 << 20);
  });

  it('has users without rights, users of its own, and service accounts', async () => {
    await expect(kubectl(bed.kubeconfigFor('limited'), 'get', 'nodes')).rejects.toThrow('forbidden');
    const whoami = (kubeconfig: string) => kubectl(kubeconfig, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo}');
    expect(JSON.parse(await whoami(bed.kubeconfigFor('guest')))).toMatchObject({
      username: 'guest',
      groups: ['guests', 'system:authenticated'],
    });
    const { metadata } = await bed.api<{ metadata: { name: string; uid: string } }>({ path: '/api/v1/nodes/spare' });
    const bound = await bed.kubeconfigForServiceAccount('default', 'default', { name: metadata.name, uid: metadata.uid });
    expect(JSON.parse(await whoami(bound))).toMatchObject({
      username: 'system:serviceaccount:default:default',
      extra: { 'authentication.kubernetes.io/node-name': ['spare'] },
    });
    expect(() => bed.kubeconfigFor('nobody')).toThrow('no user nobody');
  });

  it('comes back on the same address after the API server was stopped, with everything in it', async () => {
    bed.stopApiServer();
    await expect(bed.api({ path: '/api/v1/nodes/spare' })).rejects.toThrow(/ECONN(REFUSED|RESET)|socket hang up/);
    await bed.startApiServer();
    await expect(bed.api({ path: '/api/v1/nodes/spare' })).resolves.toMatchObject({ kind: 'Node' });
  });
});
