/** How the kubelets write a pod's status: always from what the API server has, which only they change as far as containers go. */
import type { Api } from '../apiserver/api.ts';
import { pods } from '../apiserver/kinds.ts';
import { conditionOf } from '../conditions.ts';
import type { Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import type { Host } from './host.ts';
import { type Observation, type PodStatus, podStatus } from './pod-status.ts';

/** One pod on one host; another pod of the same name has another uid and is not touched. */
export interface Placed {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly host: Host;
}

export function placed(pod: Pod, host: Host): Placed {
  return { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name, uid: pod.metadata.uid, host };
}

export interface PodWriter {
  read(at: Placed): Pod | undefined;
  /** Writes what was observed, over what the status says already. Undefined when the pod is gone. */
  write(at: Placed, change: (status: PodStatus, pod: Pod) => Partial<Observation>): Pod | undefined;
}

export function hasSandbox(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'PodReadyToStartContainers')?.status === 'True';
}

const STATUS = { subresource: 'status', fieldManager: 'kubelet' } as const;

export function createPodWriter(api: Api): PodWriter {
  const read: PodWriter['read'] = ({ namespace, name, uid }) => {
    const pod = api.get(pods, namespace, name);
    return pod?.metadata.uid === uid ? pod : undefined;
  };
  return {
    read,
    write(at, change) {
      const now = timestamp(api.clock.now());
      const set = (pod: Pod): Pod => {
        if (pod.metadata.uid !== at.uid) return pod;
        const before: PodStatus = pod.status ?? {};
        const seen = change(before, pod);
        const status = podStatus(pod, {
          containerStatuses: seen.containerStatuses ?? before.containerStatuses,
          initContainerStatuses: seen.initContainerStatuses ?? before.initContainerStatuses,
          sandbox: seen.sandbox ?? hasSandbox(pod),
          over: seen.over,
          now,
          hostIP: at.host.ip,
          podIP: seen.podIP,
          ended: seen.ended,
          disrupted: seen.disrupted,
        });
        return { ...pod, status };
      };
      const pod = api.modify(pods, at.namespace, at.name, set, STATUS);
      return pod?.metadata.uid === at.uid ? pod : undefined;
    },
  };
}
