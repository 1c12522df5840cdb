/** Only for tests of the controllers: binds every pod, makes it ready and lets it go, as fast as told. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Part } from '../apiserver/api.ts';
import { Failure } from '../apiserver/failure.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import type { Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';

export interface InstantKubelet extends Part {
  /** Containers end with this phase; the pod stays. */
  finish(name: string, phase: 'Succeeded' | 'Failed'): void;
}

export interface InstantKubeletOptions {
  readonly namespace?: string;
  /** From being bound to Ready. Default 0. */
  readonly start?: Millis;
  /** From being deleted to gone. Default 0. */
  readonly stop?: Millis;
  /** Pods that stay unready while this is false. Default: none. */
  readonly becomesReady?: (pod: Pod) => boolean;
}

function pinnedTo(pod: Pod): string | undefined {
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.[0]?.values?.[0];
}

export function startInstantKubelet(api: Api, options: InstantKubeletOptions = {}): InstantKubelet {
  const { namespace = 'default', start = 0, stop = 0, becomesReady = () => true } = options;
  let turn = 0;

  function setStatus(name: string, phase: 'Running' | 'Succeeded' | 'Failed', ready: boolean): void {
    const now = timestamp(api.clock.now());
    api.modify(
      pods,
      namespace,
      name,
      (pod): Pod => ({
        ...pod,
        status: {
          ...pod.status,
          phase,
          conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }],
        },
      }),
      { subresource: 'status' },
    );
  }

  function run(uid: string): void {
    const pod = api.byUid(pods, uid);
    if (pod?.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined)
      setStatus(pod.metadata.name, 'Running', becomesReady(pod));
  }

  function bind(uid: string): void {
    const pod = api.byUid(pods, uid);
    const all = api.list(nodes);
    const node = pod && (pinnedTo(pod) ?? all[turn++ % Math.max(1, all.length)]?.metadata.name);
    if (!pod || pod.spec.nodeName || !node || !api.get(nodes, '', node)) return;
    api.bind(namespace, pod.metadata.name, node);
    api.clock.after(start, () => run(uid));
  }

  function kill(uid: string): void {
    const pod = api.byUid(pods, uid);
    if (!pod) return;
    try {
      api.remove(pods, namespace, pod.metadata.name, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  const stopWatch = api.watch(
    pods,
    ({ type, object, previous }) => {
      const { uid, deletionTimestamp } = object.metadata;
      if (type === 'ADDED') api.clock.after(0, () => bind(uid));
      if (type === 'MODIFIED' && deletionTimestamp && !previous.metadata.deletionTimestamp)
        api.clock.after(stop, () => kill(uid));
    },
    { replay: true },
  );
  return {
    name: 'instant-kubelet',
    finish: (name, phase) => setStatus(name, phase, false),
    stop: stopWatch,
  };
}
