/** The agent against a real API server, with no more rights than examples/agent.yaml gives, held by examples/agent-admission.yaml. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readSignals } from '../../../src/api/node-signal.ts';
import { createAwsMetadata } from '../../../src/sim/metadata/aws.ts';
import { type MetadataServer, startMetadataServer } from '../../../src/sim/metadata/server.ts';
import { createWallClock } from '../../../src/lib/clock.ts';
import { createApiCall, ApiError, type ApiCall } from '../../beds/api-call.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { files } from '../../beds/credentials.ts';
import { kubectl } from '../../beds/kubectl.ts';
import { deployment, node as nodeObject, podDisruptionBudget } from '../../beds/objects.ts';
import { type AgentProcess, startAgent } from '../agent-process.ts';
import { brisk, type Case, setStage } from '../case.ts';
import { type Cluster, fingerprint, maintenanceObject, openCluster } from '../cluster.ts';
import { installResources, startController } from '../controller-process.ts';
import { eventually } from '../eventually.ts';

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
const SIGNALS = 'drover.dev/signals';
const USER = 'system:serviceaccount:drover:drover-agent';

let bed: ControlPlane;
let cluster: Cluster;
let metadata: MetadataServer;
const aws = createAwsMetadata(createWallClock());
const agents: AgentProcess[] = [];

beforeAll(async () => {
  bed = await startControlPlane({ audit: 'Metadata', podReadyMs: 300, podStopMs: 300 });
  cluster = openCluster(bed);
  metadata = await startMetadataServer([aws]);
  await installResources(bed);
  // Without the DaemonSet: kwok would play its pods, and the agents here are real.
  const rights = parseAllDocuments(readFileSync(example('agent.yaml'), 'utf8')).filter(
    (each) => each.get('kind') !== 'DaemonSet',
  );
  const file = join(bed.folder, 'agent-rights.yaml');
  writeFileSync(file, rights.map((each) => `---\n${each.toString()}`).join(''));
  await kubectl(bed.kubeconfig, 'apply', '-f', file, '-f', example('agent-admission.yaml'));
});

afterEach(async () => {
  for (const agent of agents.splice(0)) if (!agent.hasEnded) expect(await agent.stop(), agent.log()).toBe(0);
  aws.spot(null);
  metadata.fail(null);
});

afterAll(async () => {
  await metadata?.close();
  await bed?.stop();
});

async function kubeconfigOf(nodeName: string): Promise<string> {
  const { metadata } = await cluster.node(nodeName);
  return bed.kubeconfigForServiceAccount('drover', 'drover-agent', { name: nodeName, uid: metadata.uid });
}

async function start(nodeName: string, ...args: readonly string[]): Promise<AgentProcess> {
  const agent = await startAgent({ kubeconfig: await kubeconfigOf(nodeName), nodeName, args });
  agents.push(agent);
  return agent;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

const conditionOf = async (nodeName: string, type: string) => {
  const { status } = await cluster.node(nodeName);
  return (status?.conditions as readonly Condition[] | undefined)?.find((each) => each.type === type);
};

const condition = (nodeName: string, type: string, status: string) =>
  eventually(
    `${type}=${status} on ${nodeName}`,
    () => conditionOf(nodeName, type),
    (seen) => seen?.status === status,
    { also: () => agents.map((agent) => agent.log()).join('\n') },
  );

const signalsOf = async (nodeName: string) => readSignals((await cluster.node(nodeName)).metadata.annotations?.[SIGNALS]).signals;

it('a sentinel file and a check show on the node, and are gone when they are', async () => {
  await cluster.create(nodeObject('signs'));
  await cluster.quietNode('signs');
  const before = fingerprint(await cluster.node('signs'));
  const sentinel = join(bed.folder, 'reboot-required');
  const code = join(bed.folder, 'check-exit-code');
  const script = join(bed.folder, 'check.sh');
  writeFileSync(code, '0');
  writeFileSync(script, `#!/bin/sh\necho clock is off\nexit $(cat ${code})\n`);
  chmodSync(script, 0o755);
  const check = join(bed.folder, 'check.json');
  writeFileSync(
    check,
    JSON.stringify({
      plugin: 'custom',
      pluginConfig: { invoke_interval: '1s', timeout: '5s' },
      source: 'ntp-custom-plugin-monitor',
      conditions: [{ type: 'NTPProblem', reason: 'NTPIsUp', message: 'ntp service is up' }],
      rules: [
        { type: 'permanent', condition: 'NTPProblem', reason: 'NTPIsDown', path: script },
        { type: 'temporary', reason: 'ClockWasOff', path: script },
      ],
    }),
  );
  const args = ['--cloud=none', `--sentinel-file=${sentinel}`, '--sentinel-interval=1s', `--checks=${check}`, '--check-hold=0s'];
  const first = await start('signs', ...args);
  expect(await condition('signs', 'RebootRequired', 'False')).toMatchObject({ reason: 'NoRebootRequired' });
  expect(await condition('signs', 'NTPProblem', 'False')).toMatchObject({ reason: 'NTPIsUp', message: 'ntp service is up' });
  expect(await condition('signs', 'DroverAgent', 'True')).toMatchObject({ reason: 'EverySourceAnswers' });

  writeFileSync(sentinel, '');
  writeFileSync(`${sentinel}.pkgs`, 'linux-image-6.1\n');
  writeFileSync(code, '1');
  expect(await condition('signs', 'RebootRequired', 'True')).toMatchObject({
    reason: 'RebootRequired',
    message: `sentinel: ${sentinel} is there, for linux-image-6.1`,
  });
  expect(await condition('signs', 'NTPProblem', 'True')).toMatchObject({ reason: 'NTPIsDown', message: 'clock is off' });
  const signals = await signalsOf('signs');
  expect(signals.map(({ kind, source, id }) => [kind, source, id])).toEqual([
    ['CustomCheck', 'check', 'NTPProblem'],
    ['RebootRequired', 'sentinel', `file:${sentinel}`],
  ]);
  const { items } = await bed.api<{ items: { reason: string; message: string; involvedObject: { name: string } }[] }>({
    path: '/api/v1/namespaces/default/events?fieldSelector=reason%3DClockWasOff',
  });
  expect(items).toMatchObject([{ message: 'clock is off', involvedObject: { name: 'signs' } }]);

  // Killed and started again with the check taken from its configuration: what it was is known, and its condition goes.
  await first.kill();
  await start('signs', ...args.filter((arg) => !arg.startsWith('--checks')));
  await eventually(
    'the condition of the check to be gone',
    () => conditionOf('signs', 'NTPProblem'),
    (seen) => seen === undefined,
  );
  expect((await signalsOf('signs')).map(({ since, ...rest }) => [rest.id, since])).toEqual(
    signals.filter(({ source }) => source === 'sentinel').map(({ id, since }) => [id, since]),
  );

  rmSync(sentinel);
  await condition('signs', 'RebootRequired', 'False');
  expect(await signalsOf('signs')).toEqual([]);
  const { annotations, ...after } = JSON.parse(fingerprint(await cluster.node('signs'))) as { annotations: object };
  const was = JSON.parse(before) as { annotations: object };
  expect(after).toEqual({ ...was, annotations: undefined });
  expect(annotations).toEqual({ ...was.annotations, 'drover.dev/agent-conditions': '["DroverAgent","RebootRequired"]' });
});

it('a metadata service that fails is told, what was known is kept, and the agent lives', async () => {
  await cluster.create(nodeObject('failing'));
  await cluster.quietNode('failing');
  aws.spot({ action: 'terminate', time: new Date(Date.now() + 3_600_000).toISOString() });
  const agent = await start(
    'failing',
    '--cloud=aws',
    `--metadata-url=${metadata.url}`,
    '--sentinel-file=',
    '--poll-interval=200ms',
  );
  await condition('failing', 'SpotInterruption', 'True');
  for (const fault of [
    { do: 'Answer', status: 500, body: 'x' },
    { do: 'Answer', status: 200, body: '<html>' },
    { do: 'CutShort' },
    { do: 'Flood' },
  ] as const) {
    metadata.fail(fault);
    const calls = metadata.calls.length;
    await eventually(
      'some tries',
      () => Promise.resolve(metadata.calls.length),
      (now) => now > calls + 3,
    );
  }
  const told = await condition('failing', 'DroverAgent', 'False');
  expect(told).toMatchObject({ reason: 'SourceFailing', message: expect.stringContaining('aws-spot: ') });
  expect(await conditionOf('failing', 'SpotInterruption')).toMatchObject({ status: 'True' });
  expect(agent.hasEnded).toBe(false);
  expect(await agent.metrics()).toMatch(/drover_agent_source_up\{source="aws-spot"\} 0/);
  metadata.fail(null);
  await condition('failing', 'DroverAgent', 'True');
});

const stageOf = (name: string) =>
  setStage(cluster, name, {
    objects: (ns) => [
      deployment(ns, 'web', 3),
      podDisruptionBudget(ns, 'web', { minAvailable: 2, selector: { matchLabels: { app: 'web' } } }),
    ],
    pods: 3,
  });

const spotSoon = () => aws.spot({ action: 'terminate', time: new Date(Date.now() + 45_000).toISOString() });

const cordoned = ({ old }: Case, by: RegExp) =>
  eventually(
    `the cordon of ${old} by ${by}`,
    () => cluster.node(old),
    ({ spec, metadata }) => spec.unschedulable === true && by.test(metadata.annotations?.['drover.dev/maintenance'] ?? ''),
    { everyMs: 20, also: () => agents.map((agent) => agent.log()).join('\n') },
  );

it('on a spot notice without a controller the agent cordons and drains its own node, within the budget, and gives it back', async () => {
  const made = await stageOf('spot');
  const before = fingerprint(await cluster.node(made.old));
  const agent = await start(
    made.old,
    '--cloud=aws',
    `--metadata-url=${metadata.url}`,
    '--sentinel-file=',
    '--poll-interval=200ms',
  );
  spotSoon();
  await cordoned(made, /agent:drover\/spot-old/);
  await eventually(
    'no pod on the node',
    () => cluster.podsOn(made.old),
    (pods) => pods.length === 0,
    { also: agent.log },
  );
  await cluster.readyPods(made.namespace, 3);
  await eventually('the end of the drain', agent.metrics, (text) =>
    text.includes('drover_agent_self_drain_steps_total{step="Drained"} 1'),
  );
  // The notice is withdrawn, as a cancelled event of Azure is.
  aws.spot(null);
  await eventually(
    'the node to be handed back',
    async () => fingerprint(await cluster.node(made.old)),
    (now) =>
      JSON.stringify({ ...JSON.parse(now), annotations: null }) === JSON.stringify({ ...JSON.parse(before), annotations: null }),
    { also: agent.log },
  );
  const { annotations } = (await cluster.node(made.old)).metadata;
  expect(Object.keys(annotations ?? {}).filter((key) => key.startsWith('drover.dev/'))).toEqual(['drover.dev/agent-conditions']);
});

it('a controller that wants the node gets it, and the agent lets go', async () => {
  const made = await stageOf('taken');
  const before = fingerprint(await cluster.node(made.old));
  // It shall find the agent in the middle of its drain: the budget holds the last pods.
  await cluster.patch(podDisruptionBudget(made.namespace, 'web', {}), { spec: { minAvailable: 3 } });
  const agent = await start(
    made.old,
    '--cloud=aws',
    `--metadata-url=${metadata.url}`,
    '--sentinel-file=',
    '--poll-interval=200ms',
    '--controller-patience=0s',
  );
  spotSoon();
  await cordoned(made, /agent:drover/);
  const controller = await startController(bed);
  try {
    const wanted = maintenanceObject('taken-over', { nodeName: made.old, drain: { ...brisk } });
    await cluster.create(wanted);
    await cordoned(made, /"by":"taken-over"/);
    await eventually(
      'the agent to let go',
      () => Promise.resolve(agent.log()),
      (log) => /has taken the node over|left to taken-over/.test(log),
    );
    aws.spot(null);
    await condition(made.old, 'SpotInterruption', 'False');
    expect((await cluster.node(made.old)).spec.unschedulable).toBe(true);
    await cluster.patch(podDisruptionBudget(made.namespace, 'web', {}), { spec: { minAvailable: 1 } });
    await cluster.phase(made.old, ['Drained']);
    await cluster.remove(wanted);
    await eventually(
      'the controller to undo what the agent had done',
      () => cluster.node(made.old),
      ({ spec, metadata }) => !spec.unschedulable && metadata.annotations?.['drover.dev/maintenance'] === undefined,
    );
    const { annotations: _, ...after } = JSON.parse(fingerprint(await cluster.node(made.old))) as { annotations: object };
    const { annotations: __, ...was } = JSON.parse(before) as { annotations: object };
    expect(after).toEqual(was);
  } finally {
    expect(await controller.stop(), controller.log()).toBe(0);
  }
});

it('was refused nothing by RBAC or by the admission policy in all of this', async () => {
  const lines = await bed.auditLog({ user: USER });
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter(({ code }) => code === 401 || code === 403).map(({ verb, uri }) => `${verb} ${uri}`)).toEqual([]);
});

it('the admission policy holds an agent to its own node, and there to what is its own', async () => {
  for (const name of ['own', 'other']) {
    await cluster.create(nodeObject(name));
    await cluster.quietNode(name);
  }
  const uid = (await cluster.node('own')).metadata.uid;
  const as = async (bound?: { name: string; uid: string }): Promise<ApiCall> => {
    const { status } = await bed.api<{ status: { token: string } }>({
      method: 'POST',
      path: '/api/v1/namespaces/drover/serviceaccounts/drover-agent/token',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600, ...(bound && { boundObjectRef: { apiVersion: 'v1', kind: 'Node', ...bound } }) },
      },
    });
    return createApiCall(bed.server, status.token, join(bed.folder, files.certificate));
  };
  const agent = await as({ name: 'own', uid });
  const unbound = await as();
  const strategic = 'application/strategic-merge-patch+json';
  /** null: it was allowed. */
  const refusal = async (path: string, body: object, api = agent): Promise<string | null> => {
    try {
      await api({ method: 'PATCH', path: `/api/v1/nodes/${path}`, body, contentType: strategic });
      return null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      expect(error.status, error.message).toBe(403);
      return error.message;
    }
  };
  const signals = { metadata: { annotations: { [SIGNALS]: '[]' } } };
  const saying = (type: string, status = 'True') => ({
    status: { conditions: [{ type, status, reason: 'R', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
  });

  // Everything twice, and at last gone: a change of nothing would prove nothing.
  for (const [path, body] of [
    ['own/status', { ...signals, ...saying('NTPProblem') }],
    [
      'own/status',
      { metadata: { annotations: { [SIGNALS]: null } }, status: { conditions: [{ type: 'NTPProblem', $patch: 'delete' }] } },
    ],
    ['own', { spec: { taints: [{ key: 'drover.dev/maintenance', value: 'x', effect: 'PreferNoSchedule' }] } }],
    ['own', { spec: { taints: null } }],
    // last, because the node controller then adds a taint of its own
    ['own', { metadata: { annotations: { 'drover.dev/maintenance': '{}' } }, spec: { unschedulable: true } }],
    ['own', { metadata: { annotations: { 'drover.dev/maintenance': null } }, spec: { unschedulable: null } }],
  ] as const)
    expect(await refusal(path, body), `${path} ${JSON.stringify(body)}`).toBeNull();

  for (const [path, body, because] of [
    ['other/status', { ...signals, ...saying('NTPProblem') }, 'the agent of node own may not change node other'],
    ['other', { spec: { unschedulable: true } }, 'the agent of node own may not change node other'],
    ['own', { metadata: { labels: { a: 'b' } } }, 'no labels'],
    ['own/status', { metadata: { labels: { a: 'b' } } }, 'no labels'],
    ['own', { metadata: { finalizers: ['a.b/c'] } }, 'no labels, finalizers'],
    ['own', { metadata: { annotations: { a: 'b' } } }, 'no annotations but'],
    ['own', { metadata: { annotations: { 'node.alpha.kubernetes.io/ttl': null } } }, 'no annotations but'],
    ['own/status', { metadata: { annotations: { 'node.alpha.kubernetes.io/ttl': '7' } } }, 'no annotations but'],
    ['own', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }, 'no taints but'],
    ['own', { spec: { taints: [{ key: 'drover.dev/maintenance', effect: 'NoExecute' }] } }, 'no taints but'],
    ['own', { spec: { providerID: 'aws:///eu/i-1' } }, "nothing of a node's spec but"],
    ['own/status', saying('Ready', 'False'), "the kubelet's conditions"],
    ['own/status', { status: { conditions: [{ type: 'Ready', $patch: 'delete' }] } }, "the kubelet's conditions"],
    ['own/status', { status: { capacity: { cpu: '1k' } } }, "nothing of a node's status but"],
    ['own/status', { status: { addresses: [{ type: 'InternalIP', address: '10.9.9.9' }] } }, "nothing of a node's status but"],
    ['own/status', { status: { nodeInfo: { kernelVersion: 'x' } } }, "nothing of a node's status but"],
  ] as const)
    expect(await refusal(path, body), `${path} ${JSON.stringify(body)}`).toContain(because);

  expect(await refusal('own/status', { ...signals, ...saying('NTPProblem') }, unbound)).toContain(
    "the agent's token is not bound to a node",
  );
  // Nobody else is held: the kubelet and people go on as before.
  await cluster.patchNode('own', { metadata: { labels: { a: 'b' } } });
});
