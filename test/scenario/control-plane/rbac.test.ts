import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { kubectl } from '../../beds/kubectl.ts';
import { deployment, pod, podDisruptionBudget, service, statefulSet } from '../../beds/objects.ts';
import { podAnnotations } from '../../beds/kwok-stages.ts';
import { brisk, type Case, setStage } from '../case.ts';
import { type Cluster, maintenanceObject, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';

const file = fileURLToPath(new URL('../../../examples/rbac.yaml', import.meta.url));
const USER = 'system:serviceaccount:drover:drover';

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  await installResources(bed);
  await kubectl(bed.kubeconfig, 'apply', '-f', file);
  const kubeconfig = await bed.kubeconfigForServiceAccount('drover', 'drover');
  controller = await startController(bed, { kubeconfig, leaderElect: true, args: ['--leader-election-namespace=drover'] });
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  await bed?.stop();
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const reads: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** "patch nodes/status"; the three ways of reading are one, since the client chooses among them by what the server can do. */
function granted(): Set<string> {
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as { rules?: Rule[] });
  const rules = documents.flatMap(({ rules = [] }) => rules);
  return new Set(
    rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${reads.has(verb) ? 'read' : verb} ${resource}`)),
    ),
  );
}

const hook = (annotations: object) => ({
  template: {
    spec: {
      template: {
        metadata: { annotations },
        spec: { restartPolicy: 'Never', containers: [{ name: 'hook', image: 'hook:1' }] },
      },
    },
  },
});

/** A reboot with a hook before it, a hook that is stopped, and the end of the node. */
async function act({ old }: Case): Promise<void> {
  const ask = (name: string, spec: object) =>
    cluster.create(maintenanceObject(name, { nodeName: old, drain: brisk, verify: { healthyFor: '0s' }, ...spec }));
  await ask('reboot', { action: 'Reboot', hooks: { before: hook({ [podAnnotations.completeMs]: '300' }) } });
  await eventually(
    'the pod that reboots the node',
    () => cluster.podsIn('drover'),
    (pods) =>
      pods.some(({ metadata, status }) => metadata.labels?.['drover.dev/action'] === 'reboot' && status.phase === 'Running'),
  );
  await cluster.patchNode(`${old}/status`, { status: { nodeInfo: { bootID: 'another' } } });
  await cluster.phase(old, ['HandedBack'], 120_000);

  await ask('hook', { action: 'Hook', hooks: { before: hook({}) } });
  await cluster.waitsFor(old, 'HookRunning');
  await cluster.patch(maintenanceObject('hook', {}), { spec: { cancelled: true } });
  await cluster.phase(old, ['Cancelled']);

  await cluster.create(maintenanceObject('delete', { nodeName: old, drain: brisk, action: 'Delete' }));
  await eventually(
    'the node to be gone',
    () => cluster.maintenancesOf(old),
    ([latest]) => latest?.status?.message === `node ${old} was deleted`,
  );
}

it('the rights of examples/rbac.yaml are enough for a drain, a reboot, hooks and a deletion, and none is too many', async () => {
  const made = await setStage(cluster, 'rbac', {
    objects: (ns) => [
      service(ns, 'app'),
      deployment(ns, 'app', 2, { spec: { template: { metadata: { labels: { tier: 'web' } } } } }),
      podDisruptionBudget(ns, 'app', { maxUnavailable: 0, selector: { matchLabels: { tier: 'web' } } }),
      // never allowed: the ladder deletes it
      statefulSet(ns, 'db', 1, { spec: { template: { metadata: { labels: { role: 'db' } } } } }),
      podDisruptionBudget(ns, 'db', { maxUnavailable: 0, selector: { matchLabels: { role: 'db' } } }),
    ],
    pods: 3,
  });
  await cluster.readyPods(made.namespace, 3);
  const wanted = (value: string | null) => cluster.patchNode(made.old, { metadata: { labels: { retire: value } } });
  await cluster.create(
    policyObject('rbac', {
      nodeSelector: { matchLabels: { case: 'rbac' } },
      reasons: [{ type: 'Label', label: { key: 'retire' } }],
      drain: {
        ...brisk,
        settle: {},
        barePods: 'Evict',
        ladder: [
          { after: '5s', do: 'TellOwner' },
          { after: '15s', do: 'Delete' },
        ],
      },
    }),
  );
  await wanted('yes');
  await eventually(
    'the cordon',
    () => cluster.node(made.old),
    ({ spec }) => spec.unschedulable === true,
  );
  await cluster.patchNode(made.old, { spec: { unschedulable: null } });
  await cluster.waitsFor(made.old, 'Paused');
  // with its volume the attachments of the node are looked at
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  await cluster.create(pod(made.namespace, 'claiming', { spec: { nodeName: made.old, volumes } }));
  const [maintenance] = await cluster.maintenancesOf(made.old);
  await cluster.api({
    method: 'PATCH',
    path: `/apis/drover.dev/v1alpha1/nodemaintenances/${maintenance?.metadata.name}`,
    body: { spec: { paused: false } },
  });
  const drained = await cluster.phase(made.old, ['Drained'], 120_000);
  const journal = drained.status?.journal?.map((entry) => entry.do).join('\n');
  expect(journal).toContain('handed over: took label pod-template-hash');
  expect(journal).toContain('taken out of its Services: took label app=app');
  expect(journal).toContain('deleted without asking its disruption budgets');
  await wanted(null);
  await cluster.phase(made.old, ['HandedBack']);
  await act(made);
  await controller.stop();

  const lines = await bed.auditLog({ user: USER });
  expect(lines.filter(({ code }) => code === 403 || code === 401).map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
  const used = new Set(
    lines.map(
      ({ verb, resource, subresource }) =>
        `${reads.has(verb) ? 'read' : verb} ${subresource ? `${resource}/${subresource}` : resource}`,
    ),
  );
  // What a minute does not need: ended maintenances are deleted after a week, events that repeat are patched.
  const later = ['delete nodemaintenances', 'patch events'];
  expect([...granted()].filter((right) => !used.has(right) && !later.includes(right))).toEqual([]);
});
