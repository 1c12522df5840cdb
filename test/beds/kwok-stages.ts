/** What kwok, in the place of the kubelets, does with nodes and pods. Started by itself, without kwokctl, it has no stages of its own. */

export interface PodTimes {
  /** From the binding of a pod until it is Ready. */
  readonly readyMs: number;
  /** From the deletion of a pod until it is gone. */
  readonly stopMs: number;
  readonly heartbeatMs: number;
}

/** On a pod: what its kubelet does otherwise than the bed's options say. Values are strings of milliseconds, but for `ready`. */
export const podAnnotations = {
  /** "never": Running, but not Ready, for as long as it is there; both ways at any time. */
  ready: 'bed.drover.dev/ready',
  readyMs: 'bed.drover.dev/ready-ms',
  stopMs: 'bed.drover.dev/stop-ms',
  /** The pod succeeds this long after it became Ready (a Job's pod). */
  completeMs: 'bed.drover.dev/complete-ms',
} as const;

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

const annotation = (name: string) => `.metadata.annotations[${JSON.stringify(name)}]`;
const is = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values });
const isNot = (key: string, ...values: string[]): Requirement => ({ key, operator: 'NotIn', values });
const has = (key: string): Requirement => ({ key, operator: 'Exists' });
const lacks = (key: string): Requirement => ({ key, operator: 'DoesNotExist' });

const readyStatus = '.status.conditions.[] | select( .type == "Ready" ) | .status';
const phase = (...phases: string[]) => is('.status.phase', ...phases);
const wantsReady = isNot(annotation(podAnnotations.ready), 'never');
const wantsUnready = is(annotation(podAnnotations.ready), 'never');
const alive = lacks('.metadata.deletionTimestamp');
const deleted = has('.metadata.deletionTimestamp');
const finalizers = '.metadata.finalizers.[]';

/** A delay that the pod's own annotation overrides. Any change of the object meanwhile makes kwok count from the start again. */
const delay = (name: string, otherwiseMs: number) => ({
  durationFrom: { jq: { expression: `(${annotation(name)} // "${otherwiseMs}") + "ms"` } },
});

function stage(kind: 'Node' | 'Pod', name: string, when: readonly Requirement[], next: object, wait?: object): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind },
      selector: { matchExpressions: when.map((requirement) => ({ jq: requirement })) },
      ...(wait ? { delay: wait } : {}),
      next,
    },
  };
}

const status = (template: string) => ({ patches: [{ subresource: 'status', root: 'status', template }] });

const nodeConditions = (changed: boolean) => `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  ${changed ? 'lastTransitionTime: {{ $now | Quote }}' : ''}
{{ end }}
`;

const nodeStart = `${nodeConditions(true)}
phase: Running
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ .metadata.name | Quote }}}
`;

const podConditions = (ready: boolean) => `
{{ $now := Now }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "${ready ? 'True' : 'False'}", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "${ready ? 'True' : 'False'}", lastTransitionTime: {{ $now | Quote }}}
`;

const containers = (ready: boolean, state: string) => `
containerStatuses:
{{ range .spec.containers }}
- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, ready: ${ready}, started: ${ready}, restartCount: 0, state: ${state}}
{{ end }}
`;

const running = '{running: {startedAt: {{ $now | Quote }}}}';
const ended = (exitCode: number) =>
  `{terminated: {exitCode: ${exitCode}, reason: ${exitCode ? 'Error' : 'Completed'}, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}`;

// podIP only: a status with podIPs is refused (422) once the pod has others, and kwok then tries again for ever
const podStart = (ready: boolean) => `${podConditions(ready)}${containers(ready, running)}
phase: Running
startTime: {{ $now | Quote }}
{{ with PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ index . 0 | Quote }}
{{ end }}
`;

const podEnd = (
  finalPhase: 'Succeeded' | 'Failed',
) => `${podConditions(false)}${containers(false, ended(finalPhase === 'Failed' ? 143 : 0))}
phase: ${finalPhase}
`;

/** The stages as documents of kwok's configuration. */
export function kwokStages(times: PodTimes): object[] {
  const beat = { durationMilliseconds: times.heartbeatMs, jitterDurationMilliseconds: Math.round(times.heartbeatMs * 1.1) };
  const ready = delay(podAnnotations.readyMs, times.readyMs);
  const stop = delay(podAnnotations.stopMs, times.stopMs);
  return [
    stage('Node', 'node-start', [isNot(readyStatus, 'True')], status(nodeStart)),
    stage('Node', 'node-heartbeat', [is(readyStatus, 'True')], status(nodeConditions(false)), beat),
    stage('Pod', 'pod-ready', [alive, phase('Pending'), wantsReady], status(podStart(true)), ready),
    stage('Pod', 'pod-unready', [alive, phase('Pending'), wantsUnready], status(podStart(false)), ready),
    stage('Pod', 'pod-turns-ready', [alive, phase('Running'), is(readyStatus, 'False'), wantsReady], status(podStart(true))),
    stage('Pod', 'pod-turns-unready', [alive, phase('Running'), is(readyStatus, 'True'), wantsUnready], status(podStart(false))),
    stage(
      'Pod',
      'pod-completes',
      [alive, phase('Running'), is(readyStatus, 'True'), wantsReady, has(annotation(podAnnotations.completeMs))],
      status(podEnd('Succeeded')),
      delay(podAnnotations.completeMs, 0),
    ),
    stage('Pod', 'pod-delete', [deleted, lacks(finalizers)], { delete: true }, stop),
    // a pod that something still holds has stopped all the same: its kubelet says so, and its owner (a Job) waits to read it
    stage('Pod', 'pod-stop', [deleted, has(finalizers), phase('Pending', 'Running')], status(podEnd('Failed')), stop),
    stage('Pod', 'pod-delete-held', [deleted, has(finalizers), phase('Succeeded', 'Failed')], { delete: true }),
  ];
}
