/** The processes behind the endpoints: what answers a request, as far as pods and nodes tell. */
import type { Millis } from '../../lib/clock.ts';
import type { Api } from '../apiserver/api.ts';
import { pods } from '../apiserver/kinds.ts';
import type { Pod } from '../kubernetes.ts';

/** Annotation of a pod: "true" for a process that ends at SIGTERM and drops what it works on. */
export const EXITS_AT_SIGTERM = 'sim.drover.dev/exits-at-sigterm';

export interface Backend {
  readonly uid: string;
  node: string;
  state: 'starting' | 'serving' | 'stopped';
  servingSince: Millis;
  /** How often its process has ended. A request or a connection of an earlier life is lost. */
  life: number;
  endedAt: Millis;
  /** Those who send to it. Called before it changes, so that what was sent until now meets it as it was. */
  readonly users: Set<() => void>;
}

export interface Backends {
  /** @param user called before each change of the process from now on, until the pod is gone. */
  use(uid: string, user: () => void): Backend;
  stop(): void;
}

export function createBackends(api: Api): Backends {
  const known = new Map<string, Backend>();
  /** Pods that got their SIGTERM and ended by it, or will at the timer. */
  const ending = new Map<string, () => void>();

  function change(backend: Backend, state: Backend['state']): void {
    if (backend.state === state) return;
    for (const user of backend.users) user();
    const now = api.clock.now();
    if (state === 'serving') backend.servingSince = now;
    if (state === 'stopped') {
      backend.life += 1;
      backend.endedAt = now;
    }
    backend.state = state;
  }

  function follow(backend: Backend, pod: Pod, deletedAt: Millis): void {
    backend.node = pod.spec.nodeName ?? '';
    if (pod.metadata.deletionTimestamp !== undefined && pod.metadata.annotations?.[EXITS_AT_SIGTERM] === 'true') {
      // What its kubelet says of it later must not bring it back.
      if (!ending.has(backend.uid)) {
        const delay = deletedAt + preStopMs(pod) - api.clock.now();
        ending.set(
          backend.uid,
          api.clock.after(delay, () => change(backend, 'stopped')),
        );
      }
      return;
    }
    const isRunning =
      pod.status?.phase === 'Running' && (pod.status.containerStatuses ?? []).every(({ state }) => state?.running !== undefined);
    if (!isRunning) return change(backend, backend.state === 'serving' ? 'stopped' : backend.state);
    // A process listens from when it first says that it is ready; it goes on when it is told to be unready later.
    const isReady = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    if (backend.state !== 'serving') change(backend, isReady ? 'serving' : 'starting');
  }

  const stopWatch = api.watch(pods, ({ type, object }) => {
    const backend = known.get(object.metadata.uid);
    if (!backend) return;
    if (type !== 'DELETED') return follow(backend, object, api.clock.now());
    change(backend, 'stopped');
    ending.get(backend.uid)?.();
    ending.delete(backend.uid);
    known.delete(backend.uid);
  });

  return {
    use(uid, user) {
      let backend = known.get(uid);
      if (!backend) {
        backend = { uid, node: '', state: 'stopped', servingSince: 0, life: 0, endedAt: api.clock.now(), users: new Set() };
        const pod = api.byUid(pods, uid);
        // An endpoint can name a pod that is gone: a proxy learns of it later.
        if (pod) {
          known.set(uid, backend);
          follow(backend, pod, deletionAsked(pod));
          if (backend.state === 'serving') backend.servingSince = readySince(pod);
        }
      }
      backend.users.add(user);
      return backend;
    },
    stop() {
      stopWatch();
      for (const cancel of ending.values()) cancel();
    },
  };
}

function preStopMs(pod: Pod): Millis {
  return 1_000 * Math.max(0, ...pod.spec.containers.map(({ lifecycle }) => lifecycle?.preStop?.sleep?.seconds ?? 0));
}

/** deletionTimestamp is when the grace is over. */
function deletionAsked({ metadata }: Pod): Millis {
  return Date.parse(metadata.deletionTimestamp ?? '') - 1_000 * (metadata.deletionGracePeriodSeconds ?? 0);
}

function readySince({ status }: Pod): Millis {
  return Date.parse(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '') || 0;
}
