import {
  type Adoption,
  draftPolicy,
  graceOf,
  placeOf,
  portAddress,
  present,
  rowsOf,
  selectionToDo,
  selectorOf,
} from './adoption.ts';
import { awsFlags } from './aws-flags.ts';
import { secretRef, secretToDo } from './notify-secret.ts';
import { isOn, last, type Settings, settingsOf, type Workload } from './workload.ts';

const SECRET = 'aws-node-termination-handler-notify';

export function adoptAws(workload: Workload): Adoption {
  const settings = settingsOf(workload, awsFlags, (flag) => flag.toUpperCase().replaceAll('-', '_'));
  const toDo = [...selectionToDo(workload)];
  const spec = present({
    nodeSelector: selectorOf(workload),
    priority: 100,
    paused: isOn(settings, 'dry-run') ? true : null,
    reasons: reasonsOf(settings),
    drain: present({
      barePods: 'Evict', // it drains with force
      ...graceOf(last(settings, 'pod-termination-grace-period')),
      emptyDir: last(settings, 'delete-local-data') === 'false' ? 'Protect' : null,
      daemonSets: last(settings, 'ignore-daemon-sets') === 'false' ? 'Evict' : null,
      excludeFromLoadBalancers: isOn(settings, 'exclude-from-load-balancers') ? true : null,
    }),
    notify: notifyOf(settings, workload, toDo),
  });
  if (isOn(settings, 'enable-sqs-termination-draining'))
    toDo.push('it reads a queue: give the agent to every node, which has the same events from its machine');
  toDo.push('remove aws-node-termination-handler before the policy is applied: both would drain the same nodes');
  const config = present({
    cloud: 'aws',
    metadataUrl: last(settings, 'metadata-url'),
    metricsAddress: portAddress(last(settings, 'prometheus-server-port') ?? last(settings, 'probes-server-port')),
    logLevel: last(settings, 'log-level')?.toLowerCase(),
    logFormat: last(settings, 'json-logging') === 'false' ? 'text' : null,
  });
  return {
    tool: 'aws-node-termination-handler',
    title: workload.title,
    policies: [draftPolicy('aws-termination', spec)],
    agent: { config, ...placeOf(workload) },
    rows: rowsOf(settings, awsFlags),
    toDo,
  };
}

function reasonsOf(settings: Settings): readonly object[] {
  const queue = isOn(settings, 'enable-sqs-termination-draining');
  const enabled = (flag: string, initial: boolean) =>
    (last(settings, flag) === undefined ? initial : isOn(settings, flag)) || queue;
  const kinds = [
    ...(enabled('enable-spot-interruption-draining', true) ? ['SpotInterruption'] : []),
    ...(enabled('enable-scheduled-event-draining', true) ? ['Maintenance'] : []),
    ...(enabled('enable-asg-lifecycle-draining', false) ? ['AutoscalingTermination'] : []),
    ...(enabled('enable-rebalance-monitoring', false) || isOn(settings, 'enable-rebalance-draining')
      ? ['RebalanceRecommendation']
      : []),
  ];
  // A policy has at least one reason; one whose kinds were all switched off is the spot notice, which cannot be argued with.
  return [{ type: 'Signal', signal: { kinds: kinds.length > 0 ? kinds : ['SpotInterruption'], sources: ['aws'] } }];
}

function notifyOf(settings: Settings, { files }: Workload, toDo: string[]): readonly object[] | null {
  if (!last(settings, 'webhook-url') && !settings.hidden.has('webhook-url')) return null;
  const file = last(settings, 'webhook-template-file');
  const body = last(settings, 'webhook-template') || (file === undefined ? undefined : files.get(file.split('/').at(-1) ?? ''));
  if (body !== undefined || file !== undefined)
    toDo.push(
      'write the body of the webhook anew: it may name things of EC2 (InstanceID, AvailabilityZone …) that Drover does not know',
    );
  if (settings.of.has('webhook-headers'))
    toDo.push('write the headers into spec.notify[].channel.webhook.headers, passwords into a Secret');
  toDo.push(secretToDo(SECRET, 'url', 'the address of the webhook'));
  return [
    { name: 'webhook', channel: { type: 'Webhook', webhook: { urlFrom: secretRef(SECRET, 'url') } }, on: ['Drained', 'Failed'] },
  ];
}
