/** Gates against what they ask in earnest: a Prometheus, an Alertmanager and an API server, with the rights of the examples. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { kubectl } from '../../beds/kubectl.ts';
import { namespace, node, pod } from '../../beds/objects.ts';
import { type Monitoring, monitoringMissing, startMonitoring } from '../../beds/prometheus.ts';
import { createNodes } from '../../beds/seed.ts';
import { brisk } from '../case.ts';
import { type Cluster, openCluster, policyObject } from '../cluster.ts';
import { type ControllerProcess, installResources, startController } from '../controller-process.ts';
import { drover } from '../drover.ts';
import { eventually } from '../eventually.ts';

vi.setConfig({ maxConcurrency: 12 });

const example = (name: string) => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
const missing = monitoringMissing();

let bed: ControlPlane;
let cluster: Cluster;
let controller: ControllerProcess;
let monitoring: Monitoring;

beforeAll(async () => {
  if (missing && process.env['CI'] === 'true') throw new Error(missing);
  bed = await startControlPlane({ podStopMs: 200, podReadyMs: 200 });
  cluster = openCluster(bed);
  await installResources(bed);
  await cluster.create(namespace('gated'));
  await kubectl(bed.kubeconfig, 'apply', '-f', example('rbac.yaml'), '-f', example('rbac-gates.yaml'));
  await kubectl(bed.kubeconfig, '-n', 'drover', 'create', 'secret', 'generic', 'prometheus', '--from-literal=token=s3cret-t0ken');
  if (!missing) monitoring = await startMonitoring(bed.folder);
  const kubeconfig = await bed.kubeconfigForServiceAccount('drover', 'drover');
  controller = await startController(bed, { kubeconfig, args: ['--leader-election-namespace=drover'] });
});

afterAll(async () => {
  expect(await controller?.stop(), controller?.log()).toBe(0);
  expect(controller?.log()).not.toContain('s3cret-t0ken');
  await bed?.stop();
});

async function makeNodes(name: string, count: number, labels: object = {}): Promise<string[]> {
  const nodes = Array.from({ length: count }, (_, index) => {
    const base = node(`${name}-${index}`);
    return { ...base, metadata: { ...base.metadata, labels: { ...(base.metadata['labels'] as object), case: name, ...labels } } };
  });
  await createNodes(bed.api, nodes);
  return nodes.map(({ metadata }) => metadata.name);
}

async function makePolicy(name: string, spec: object): Promise<void> {
  const reasons = [{ type: 'Label', label: { key: 'retire' } }];
  await cluster.create(policyObject(name, { nodeSelector: { matchLabels: { case: name } }, reasons, drain: brisk, ...spec }));
}

const retire = (name: string) => cluster.patchNode(name, { metadata: { labels: { retire: 'yes' } } });
const run = (...args: string[]) => drover(bed.kubeconfig, ...args);
const interval = '5s';

describe.skipIf(missing)('with a Prometheus and an Alertmanager', () => {
  it('an alert holds a drain back until it is silenced in Alertmanager; what is ignored or only pending does not', async () => {
    const [name = ''] = await makeNodes('silenced', 1);
    await makePolicy('silenced', {
      gates: { alertmanager: [{ name: 'no pages', url: monitoring.alertmanager, ignore: '(?i)^noderebootrequired', interval }] },
    });
    monitoring.fire('ApiDown', 'NodeRebootRequired');
    await eventually(
      'both alerts in Alertmanager',
      async () => (await (await fetch(`${monitoring.alertmanager}/api/v2/alerts`)).json()) as unknown[],
      (alerts) => alerts.length === 2,
    );
    await retire(name);
    const waits = await cluster.waitsFor(name, 'GateAlerts');
    expect(waits.message).toBe('gate no pages of policy silenced is closed by an alert: ApiDown');
    expect((await cluster.node(name)).spec.unschedulable).not.toBe(true);
    expect((await run('why', name)).stdout).toContain('what would help: it being resolved or silenced');
    await eventually(
      'the policy to say so',
      () => cluster.policy('silenced'),
      ({ status }) => status?.waitingFor?.includes('ApiDown') === true,
    );
    await monitoring.silence('ApiDown');
    await cluster.phase(name, ['Drained']);
  });

  it('in Prometheus it holds back although it is silenced, until it is resolved; a Prometheus that is down holds back, too', async () => {
    const [first = '', second = ''] = await makeNodes('firing', 2);
    const auth = { bearer: { name: 'prometheus' } };
    await makePolicy('firing', {
      disruption: { maxNodes: 2 },
      gates: {
        prometheus: [
          {
            url: monitoring.prometheus,
            alerts: { only: 'DiskFull', matchers: [{ label: 'severity', value: 'page' }] },
            interval,
            auth,
          },
          { name: 'targets up', url: monitoring.prometheus, query: 'up == 0', interval },
        ],
      },
    });
    monitoring.fire('DiskFull');
    await eventually(
      'the alert in Prometheus',
      async () => await (await fetch(`${monitoring.prometheus}/api/v1/query?query=ALERTS`)).text(),
      (text) => text.includes('DiskFull'),
    );
    await monitoring.silence('DiskFull');
    await retire(first);
    expect((await cluster.waitsFor(first, 'GateAlerts')).message).toBe(
      'gate prometheus[0] of policy firing is closed by an alert: DiskFull',
    );
    monitoring.fire();
    await cluster.phase(first, ['Drained']);

    monitoring.stopPrometheus();
    const stoppedAt = Date.now();
    // For so long the answer from before may open the gate (FRESH_MS).
    await eventually(
      'the last answer to be old',
      async () => Date.now() - stoppedAt,
      (ms) => ms > 6_000,
    );
    await retire(second);
    const waits = await cluster.waitsFor(second, 'GateUnanswered');
    expect(waits.message).toMatch(
      /^gate (prometheus\[0\]|targets up) of policy firing cannot be asked since \d{4}-.*Z, and counts as closed: http.* cannot be reached: /,
    );
    await monitoring.startPrometheus();
    await cluster.phase(second, ['Drained']);
    expect(await controller.metrics()).toMatch(/drover_gate_answers_total\{kind="PrometheusAlerts",result="Unanswered"\} [1-9]/);
  });
});

describe.concurrent('with the API server alone', () => {
  it('pods hold their node back until the last one has ended, and no other node', async () => {
    const [busy = '', free = ''] = await makeNodes('busy', 2);
    await cluster.create(
      pod('gated', 'job', { metadata: { labels: { batch: 'yes' } }, spec: { nodeName: busy } }),
      pod('gated', 'other', { metadata: { labels: { batch: 'no' } }, spec: { nodeName: free } }),
    );
    await makePolicy('busy', {
      disruption: { maxNodes: 2 },
      drain: { ...brisk, barePods: 'Evict' },
      gates: { pods: [{ podSelector: { matchExpressions: [{ key: 'batch', operator: 'In', values: ['yes', 'maybe'] }] } }] },
    });
    await Promise.all([retire(busy), retire(free)]);
    await cluster.phase(free, ['Drained']);
    expect((await cluster.waitsFor(busy, 'GatePods')).message).toBe(
      `gate pods[0] of policy busy is closed by a pod on node ${busy}: gated/job`,
    );
    // It ends without going: as Jobs do.
    await cluster.patch(pod('gated', 'job'), { status: { phase: 'Succeeded' } }, '/status');
    await cluster.phase(busy, ['Drained']);
  });

  it('nothing starts before it is approved, and the journal keeps by whom', async () => {
    const [first = '', second = ''] = await makeNodes('approved', 2);
    await makePolicy('approved', { disruption: { maxNodes: 2 }, gates: { approval: {} } });
    await Promise.all([retire(first), retire(second)]);
    expect((await cluster.waitsFor(first, 'GateApproval')).unblock).toBe(
      `\`drover approve ${first}\`, or \`drover approve policy/approved\` for all of them`,
    );
    expect((await run('approve', first)).stdout).toMatch(/approved, node approved-0\n$/);
    const { status } = await cluster.phase(first, ['Drained']);
    expect(status?.journal?.[0]?.do).toMatch(/^started with the approval of .+@.+, given \d{4}-/);
    await cluster.waitsFor(second, 'GateApproval');
    expect((await run('approve', 'policy/approved')).stdout).toBe('policy/approved approved\n');
    await cluster.phase(second, ['Drained']);
  });

  it('after a failure the breaker opens, says so everywhere, and is closed by a person', async () => {
    const [broken = '', next = ''] = await makeNodes('broken', 2);
    await makePolicy('broken', {
      drain: { ...brisk, attempts: 1, stepAside: '1s' },
      disruption: { maxNodes: 1, breaker: { failures: 1, within: '1h' } },
    });
    await cluster.create(pod('gated', 'stays', { spec: { nodeName: broken } }));
    await retire(broken);
    await cluster.phase(broken, ['Failed']);
    await retire(next);
    expect((await cluster.waitsFor(next, 'BreakerOpen')).message).toContain('a maintenance of it failed');
    const isOpen = ({ status }: Awaited<ReturnType<Cluster['policy']>>) =>
      status?.conditions?.find(({ type }) => type === 'BreakerOpen')?.status;
    await eventually(
      'the condition',
      () => cluster.policy('broken'),
      (policy) => isOpen(policy) === 'True',
    );
    await eventually(
      'the event',
      () => kubectl(bed.kubeconfig, 'get', 'events', '-A', '-o', 'custom-columns=:.reason,:.involvedObject.name', '--no-headers'),
      (events) => /BreakerOpen +broken/.test(events),
    );
    expect(await controller.metrics()).toContain('drover_breaker_open{policy="broken"} 1');
    expect((await run('resume', 'policy/broken')).stdout).toBe('policy/broken resumed\n');
    await cluster.phase(next, ['Drained']);
    await eventually(
      'the condition',
      () => cluster.policy('broken'),
      (policy) => isOpen(policy) === 'False',
    );
  });

  it('a policy that the server takes and the controller cannot read says so', async () => {
    await makePolicy('unreadable', {
      schedule: { timeZone: 'Mars/Olympus', windows: [{ start: '01:00', end: '02:00' }] },
      gates: { prometheus: [{ url: 'http://127.0.0.1:9', alerts: { ignore: 'Down(' } }] },
    });
    const { status } = await eventually(
      'its condition',
      () => cluster.policy('unreadable'),
      (policy) => policy.status?.conditions?.some(({ type }) => type === 'Ready') === true,
    );
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'False', reason: 'Unreadable' });
    expect(ready?.message).toContain('spec.schedule.timeZone: "Mars/Olympus" is not a time zone');
    expect(ready?.message).toContain(
      'spec.gates.prometheus[0].alerts.ignore: must be a regular expression as Go reads it: a ( without its )',
    );
    expect((await run('status')).stdout).toContain('it cannot be read');
  });

  it('a cluster that has settled lets the next node go', async () => {
    const [name = ''] = await makeNodes('rested', 1);
    await makePolicy('rested', { gates: { settled: { for: '6s', interval: '5s', namespaces: ['drover'] } } });
    await retire(name);
    await cluster.waitsFor(name, 'GateNotSettled');
    await cluster.phase(name, ['Drained']);
  });

  it('the control plane loses one node at a time, to however many policies', async () => {
    const control = { 'node-role.kubernetes.io/control-plane': '' };
    const [one = ''] = await makeNodes('control-a', 1, control);
    const [other = ''] = await makeNodes('control-b', 1, control);
    await makePolicy('control-a', {});
    await makePolicy('control-b', {});
    await cluster.create(pod('gated', 'holds', { spec: { nodeName: one } }));
    await retire(one);
    await cluster.phase(one, ['Draining']);
    await retire(other);
    expect((await cluster.waitsFor(other, 'ControlPlaneLimit')).message).toContain(`${one} is out`);
    await cluster.remove(pod('gated', 'holds'));
    await cluster.phase(one, ['Drained']);
    await cluster.phase(other, ['Drained']);
  });
});
