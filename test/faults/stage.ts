/** The simulated cluster of one run, with a record of who changes it: the promises are checked against what really happened there. */
import { crds } from '../../src/api/crd.ts';
import { GROUP_VERSION } from '../../src/api/names.ts';
import type { MaintenancePolicy, NodeMaintenance } from '../../src/api/resources.ts';
import { createVirtualClock, type Millis, type VirtualClock } from '../../src/lib/clock.ts';
import type { Kind, WatchEvent } from '../../src/sim/apiserver/api.ts';
import { administrator, type ApiAnswer, type ApiRequest, type Handle } from '../../src/sim/apiserver/door.ts';
import type { Registry } from '../../src/sim/apiserver/registry.ts';
import { createSimulatedCluster, type SimulatedCluster } from '../../src/sim/cluster.ts';
import type { KubeObject } from '../../src/sim/kubernetes.ts';
import type { Case } from './case.ts';

export type Maintenance = NodeMaintenance & KubeObject;
export type Policy = MaintenancePolicy & KubeObject;

export interface Stage {
  readonly drawn: Case;
  readonly clock: VirtualClock;
  readonly cluster: SimulatedCluster;
  readonly api: Registry;
  readonly maintenances: Kind<Maintenance>;
  readonly policies: Kind<Policy>;
  /** A request of Drover's; its answer, and every change that it makes, is known to be Drover's. */
  readonly askAsDrover: Handle;
  /** A request of a person's. */
  ask(method: string, path: string, body?: unknown): ApiAnswer;
  /** `by`: the request of Drover's that is the cause; undefined when the cluster or a person is. */
  watch<T extends KubeObject>(kind: Kind<T>, handler: (event: WatchEvent<T>, by: ApiRequest | undefined) => void): void;
  onRequest(handler: (request: ApiRequest, answer: ApiAnswer) => void): void;
  /** A promise is broken. */
  broken(promise: string, how: string): void;
  readonly breaches: readonly string[];
  /** Something goes wrong now, by the will of the run. */
  trouble(): void;
  /** When something last went wrong. */
  troubledAt(): Millis;
  /** The run would not end by itself. */
  giveUp(): void;
  isGivenUp(): boolean;
  say(line: string): void;
  readonly said: readonly string[];
  /** Time since the beginning, for people: "83.250 s". */
  time(): string;
}

const definitions = crds();
const START: Millis = Date.parse('2026-01-05T08:00:00Z');

/** @param trace keep a line for every request and deed */
export function openStage(drawn: Case, trace: boolean): Stage {
  const clock = createVirtualClock(START);
  const cluster = createSimulatedCluster({
    clock,
    seed: drawn.seed,
    without: ['autoscaler', 'horizontal-pod-autoscalers', 'namespaces'],
    kubelets: { heartbeats: false },
  });
  const { api, handle } = cluster;
  const breaches: string[] = [];
  const said: string[] = [];
  const onRequest: ((request: ApiRequest, answer: ApiAnswer) => void)[] = [];
  let by: ApiRequest | undefined;
  let givenUp = false;
  let troubledAt = Number.NEGATIVE_INFINITY;
  const time = () => `${((clock.now() - START) / 1_000).toFixed(3)} s`;
  const say = (line: string) => {
    if (trace) said.push(`${time().padStart(12)}  ${line}`);
  };
  const ask: Stage['ask'] = (method, path, body) => {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return handle({ method, path, query: new URLSearchParams(), body, contentType, user: administrator, userAgent: 'person' });
  };
  for (const crd of definitions) {
    const answer = ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', crd);
    if (answer.code !== 201) throw new Error(`a CustomResourceDefinition is refused with ${answer.code}`);
  }
  const custom = <T extends KubeObject>(plural: string): Kind<T> => {
    const [group = '', version = ''] = GROUP_VERSION.split('/');
    const kind = api.findKind(group, version, plural);
    if (!kind) throw new Error(`${plural} are not served`);
    return kind as Kind<T>;
  };
  return {
    drawn,
    clock,
    cluster,
    api,
    maintenances: custom<Maintenance>('nodemaintenances'),
    policies: custom<Policy>('maintenancepolicies'),
    askAsDrover(request) {
      by = request;
      try {
        const answer = handle(request);
        if (request.method !== 'GET' && !request.path.includes('/leases'))
          say(`drover  ${request.method} ${request.path} ${answer.code} ${shown(request.body)}`);
        for (const handler of onRequest) handler(request, answer);
        return answer;
      } finally {
        by = undefined;
      }
    },
    ask,
    watch: (kind, handler) => void api.watch(kind, (event) => handler(event, by)),
    onRequest: (handler) => void onRequest.push(handler),
    broken(promise, how) {
      breaches.push(`${promise} (at ${time()}): ${how}`);
      say(`BROKEN  ${promise}: ${how}`);
    },
    breaches,
    trouble() {
      troubledAt = clock.now();
    },
    troubledAt: () => troubledAt,
    giveUp() {
      givenUp = true;
    },
    isGivenUp: () => givenUp,
    say,
    said,
    time,
  };
}

function shown(body: unknown): string {
  const { metadata, spec, status, ...rest } = (body ?? {}) as { metadata?: object; spec?: object; status?: { phase?: string } };
  const text = JSON.stringify({ metadata, spec, ...(status && { phase: status.phase ?? status }), ...rest });
  return text.length > 400 ? `${text.slice(0, 400)}...` : text;
}
