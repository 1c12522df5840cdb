/** What helm renders, held against a real API server: strictly, warnings included, and in namespaces that warn of pods beyond "restricted". */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';
import { chartFolder, helm } from '../../beds/helm.ts';
import { apply, kubectl } from '../../beds/kubectl.ts';
import { type KubeObject, namespace } from '../../beds/objects.ts';
import { crdFolder } from '../../beds/versions.ts';

const RELEASE = ['drover', chartFolder, '--namespace=drover'];
const restricted = { metadata: { labels: { 'pod-security.kubernetes.io/warn': 'restricted' } } };

/** As helm's --set has it. */
const POLICY = [
  'policies[0].name=a',
  'policies[0].spec.nodeSelector.matchLabels.pool=old',
  'policies[0].spec.reasons[0].type=Label',
  'policies[0].spec.reasons[0].label.key=retire',
].join();

let bed: ControlPlane;

beforeAll(async () => {
  bed = await startControlPlane({ kwok: false, scheduler: false });
  const crds = [join(chartFolder, 'crds'), crdFolder()];
  for (const folder of crds) await kubectl(bed.kubeconfig, 'apply', '--server-side', '-f', folder);
  await kubectl(bed.kubeconfig, 'wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  await apply(
    bed.kubeconfig,
    namespace('drover', restricted),
    ...['open', 'drover-reboots', 'hooks', 'chat'].map((name) => namespace(name)),
  );
});

afterAll(() => bed?.stop());

function values(name: string): string {
  return join(chartFolder, 'ci', name);
}

async function render(...args: readonly string[]): Promise<KubeObject[]> {
  const text = await helm(null, 'template', ...RELEASE, ...args);
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

/** @throws Error with every refusal and warning */
async function dryRun(objects: readonly KubeObject[]): Promise<void> {
  const file = join(bed.folder, 'rendered.json');
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const strictly = ['--dry-run=server', '--validate=strict', '--warnings-as-errors'];
  await kubectl(bed.kubeconfig, 'create', ...strictly, '-f', file);
}

const ofKind = (objects: readonly KubeObject[], kind: string) => objects.filter((object) => object.kind === kind);

/** Objects that are there already, or that need more than Pod Security's "restricted": tried in the namespace that the test says. */
const inNamespace = (objects: readonly KubeObject[], from: string, to: string) =>
  objects
    .filter((object) => !(object.kind === 'Namespace'))
    .map((object) =>
      object.metadata.namespace === from ? { ...object, metadata: { ...object.metadata, namespace: to } } : object,
    );

describe('the chart', () => {
  const files = readdirSync(join(chartFolder, 'ci'));

  it.each(['values.yaml', ...files])('passes helm lint with %s', async (name) => {
    const file = name === 'values.yaml' ? join(chartFolder, name) : values(name);
    expect(await helm(null, 'lint', '--strict', chartFolder, `--values=${file}`)).toContain('0 chart(s) failed');
  });

  it.each(['values.yaml', 'agent-off-values.yaml'])(
    'renders with %s what the API server takes without a word, all of it restricted by Pod Security',
    async (name) => {
      const objects = await render(...(name === 'values.yaml' ? [] : [`--values=${values(name)}`]));
      expect(ofKind(objects, 'Deployment')).toHaveLength(1);
      expect(ofKind(objects, 'DaemonSet')).toHaveLength(name === 'values.yaml' ? 1 : 0);
      await dryRun(objects);
    },
  );

  it.each(['everything-values.yaml', 'openshift-values.yaml', 'windows-values.yaml'])(
    'renders with %s what the API server takes without a word, in a namespace that admits what these values ask for',
    async (name) => {
      const objects = await render(`--values=${values(name)}`);
      expect(objects.length).toBeGreaterThan(10);
      await dryRun(inNamespace(objects, 'drover', 'open'));
      // the namespace that the chart makes is there already: its labels are tried under another name
      for (const made of ofKind(objects, 'Namespace')) {
        expect(made.metadata['labels']).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'privileged' });
        await dryRun([{ ...made, metadata: { ...made.metadata, name: 'reboots-of-this-test' } }]);
      }
    },
  );

  it('warns, through the namespace, of what goes beyond "restricted": the node folder, its network, a HostProcess pod', async () => {
    const beyond = async (...args: readonly string[]) => {
      const objects = ofKind(await render(...args), 'DaemonSet');
      return dryRun(objects).then(
        () => 'nothing',
        (error: unknown) => String(error),
      );
    };
    expect(await beyond()).toBe('nothing');
    expect(await beyond('--set=agent.linux.hostRun=true')).toContain('restricted volume types');
    expect(await beyond('--set=agent.hostNetwork=true')).toContain('host namespaces');
    expect(await beyond(`--values=${values('windows-values.yaml')}`)).toContain('hostProcess');
  });

  it('renders everything that its values promise with everything on', async () => {
    const objects = await render(`--values=${values('everything-values.yaml')}`);
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'DaemonSet',
      'Deployment',
      'Lease',
      'MaintenancePolicy',
      'Namespace',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'PodMonitor',
      'PrometheusRule',
      'ResourceQuota',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]);
    const unlabelled = objects.filter(
      ({ metadata }) => (metadata['labels'] as Record<string, string> | undefined)?.['team'] !== 'platform',
    );
    expect(unlabelled.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([]);
  });

  it('leaves user and group to OpenShift, and gives the agent what restricted-v2 does not', async () => {
    const objects = await render(`--values=${values('openshift-values.yaml')}`);
    expect(JSON.stringify(objects)).not.toMatch(/"runAs(User|Group)":\d/);
    const [constraints] = ofKind(objects, 'SecurityContextConstraints');
    expect(constraints).toMatchObject({
      allowHostDirVolumePlugin: true,
      allowHostNetwork: true,
      allowPrivilegedContainer: false,
    });
    expect(ofKind(await render('--set=openshift.enabled=true'), 'SecurityContextConstraints')).toEqual([]);
  });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Bound {
  readonly namespace: string;
  readonly rules: readonly Rule[];
}

/** What the service account may do by these objects: each binding's role, and where. */
function rightsOf(objects: readonly KubeObject[], account: string): Bound[] {
  return objects
    .filter(({ kind, subjects }) => kind.endsWith('RoleBinding') && JSON.stringify(subjects).includes(`"name":"${account}"`))
    .map((binding) => {
      const { kind, name } = binding['roleRef'] as { kind: string; name: string };
      const place = kind === 'Role' ? binding.metadata.namespace : undefined;
      const role = objects.find(
        (object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === place,
      );
      return { namespace: binding.metadata.namespace ?? '', rules: (role?.['rules'] ?? []) as readonly Rule[] };
    });
}

describe('the rights in the chart', () => {
  const example = (name: string) =>
    parseAllDocuments(readFileSync(fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)), 'utf8')).map(
      (document) => document.toJS() as KubeObject,
    );

  it('are those of the examples, right by right, and no more by default', async () => {
    const objects = await render();
    const asked = example('rbac.yaml').filter(({ metadata }) => metadata.name === 'drover-controller');
    expect(rightsOf(objects, 'drover-controller')).toEqual(rightsOf(asked, 'drover'));
    const agents = rightsOf(example('agent.yaml'), 'drover-agent').flatMap(({ rules }) => rules);
    expect(agents.length).toBeGreaterThan(5);
    expect(rightsOf(objects, 'drover-agent')).toEqual([{ namespace: '', rules: agents }]);
  });

  it('to evict pods go with the self-drain of the agents', async () => {
    const evicts = async (...args: readonly string[]) =>
      JSON.stringify(rightsOf(await render(...args), 'drover-agent')).includes('pods/eviction');
    expect(await evicts()).toBe(true);
    expect(await evicts('--set=agent.config.selfDrain=Cordon')).toBe(false);
    expect(await evicts('--set=agent.config.selfDrain=Cordon', '--set=agent.linux.config.selfDrain=Drain')).toBe(true);
  });

  it('are, with everything asked for, all those of the examples', async () => {
    const all = (objects: readonly KubeObject[], account: string) =>
      rightsOf(objects, account).flatMap(({ rules }) =>
        rules.flatMap(({ resources, verbs }) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`))),
      );
    const chart = new Set(all(await render(`--values=${values('everything-values.yaml')}`), 'drover-controller'));
    const examples = ['rbac.yaml', 'rbac-gates.yaml', 'rbac-notify.yaml'].flatMap((name) => all(example(name), 'drover'));
    expect([...new Set(examples)].filter((right) => !chart.has(right))).toEqual([]);
    expect([...chart].filter((right) => !examples.includes(right))).toEqual([]);
  });

  it('to read Secrets, run reboots and Jobs and delete nodes are given by name and place only, when they are asked for', async () => {
    const before = rightsOf(await render(), 'drover-controller');
    expect(JSON.stringify(before)).not.toMatch(/secrets|configmaps|jobs|namespaces|statefulsets/);
    const after = rightsOf(await render(`--values=${values('everything-values.yaml')}`), 'drover-controller');
    const added = after.flatMap(({ namespace, rules }) =>
      rules
        .filter((rule) => !before.some((had) => had.rules.some((own) => JSON.stringify(own) === JSON.stringify(rule))))
        .map((rule) => `${namespace}: ${rule.verbs.join()} ${rule.resources.join()} ${rule.resourceNames?.join() ?? ''}`.trim()),
    );
    expect(added).toEqual([
      ': delete nodes',
      ': list statefulsets',
      ': get namespaces',
      'drover: get secrets chat,prometheus-token',
      'drover: get configmaps prometheus-ca',
      'chat: get secrets incoming',
      'drover-reboots: create pods',
      'hooks: get,list,watch,create,delete jobs',
    ]);
  });
});

describe('settings', () => {
  const agentConfig = async (os: string, ...args: readonly string[]) => {
    const map = ofKind(await render(...args), 'ConfigMap').find(({ metadata }) => metadata.name === `drover-agent-${os}`);
    return (map?.['data'] as Record<string, string> | undefined)?.['agent.yaml'];
  };

  it('of one system win over those of both, also where they are empty or false', async () => {
    const windows = `--values=${values('windows-values.yaml')}`;
    expect(await agentConfig('linux')).toContain('sentinelFile: ""');
    expect(await agentConfig('linux', '--set=agent.linux.hostRun=true')).toContain('sentinelFile: /host/run/reboot-required');
    expect(await agentConfig('windows', windows)).toContain('windowsRegistry: true');
    const off = ['--set=agent.config.windowsRegistry=true', '--set=agent.windows.config.windowsRegistry=false'];
    expect(await agentConfig('windows', windows, ...off)).toContain('windowsRegistry: false');
  });

  it.each([
    ['controller.replicas=0', '/controller/replicas'],
    ['controler.replicas=1', "'controler' not allowed"],
    ['controller.config.logLevel=loud', '/controller/config/logLevel'],
    ['controller.config.leaderElect=false', "'leaderElect' not allowed"],
    ['agent.config.pollInterval=soon', '/agent/config/pollInterval'],
    ['agent.linux.config.selfDrain=Maybe', '/agent/linux/config/selfDrain'],
    ['image.repository=', '/image/repository'],
    ['image.digest=abc', '/image/digest'],
    ['rbac.readable[0].namespace=a,rbac.readable[0].secrets={}', '/rbac/readable/0/secrets'],
    ['networkPolicy.controlPlane.cidrs={10.0.0.1}', '/networkPolicy/controlPlane/cidrs/0'],
    ['policies[0].name=Bad_Name,policies[0].spec.reasons[0].type=Label', '/policies/0/name'],
    ['policies[0].name=a,policies[0].spec.disruption.maxNodes=many', '/policies/0/spec/disruption/maxNodes'],
    ['policies[0].name=a,policies[0].spec.drian=x', "'drian' not allowed"],
    ['policies[0].name=a,policies[0].spec.paused=true', "'/policies/0/spec': missing properties 'nodeSelector', 'reasons'"],
    [`controller.enabled=false,${POLICY}`, 'policies: without a controller nobody reads them'],
    ['networkPolicy.enabled=true', 'networkPolicy.controlPlane.cidrs: name the addresses of the API server'],
    ['agent.windows.enabled=true', 'agent.windows.image.repository: name an image for Windows nodes'],
    ['reboot.enabled=true,reboot.namespace.name=drover', "reboot.namespace.name: drover is the release's own namespace"],
    [
      'metrics.serviceMonitor.enabled=true,metrics.service.enabled=false',
      'metrics.serviceMonitor.enabled: a ServiceMonitor needs',
    ],
  ])('%s is refused before anything is installed: %s', async (set, says) => {
    await expect(render('--set', set)).rejects.toThrow(says);
  });
});
