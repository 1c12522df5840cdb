/** A pod's containers start only once its volumes are attached to the node. */
import type { Api } from '../apiserver/api.ts';
import { claims, volumeAttachments, volumes } from '../apiserver/kinds.ts';
import type { Pod } from '../kubernetes.ts';
import { claimNames } from '../scheduler/volumes.ts';
import type { Host } from './host.ts';

export interface Attachments {
  /** Calls `go` at once, or when the last missing volume is attached; never, when the pod is forgotten before. */
  whenAttached(pod: Pod, host: Host, go: () => void): void;
  forget(uid: string): void;
  stop(): void;
}

interface Waiting {
  readonly pod: Pod;
  readonly host: Host;
  readonly go: () => void;
}

export function createAttachments(api: Api): Attachments {
  // By node: an attachment wakes only the pods of its own node.
  const waiting = new Map<string, Map<string, Waiting>>();

  function isComplete(pod: Pod, host: Host): boolean {
    for (const name of claimNames(pod)) {
      const claim = api.get(claims, pod.metadata.namespace ?? '', name);
      const volumeName = claim?.spec.volumeName;
      const volume = volumeName === undefined ? undefined : api.get(volumes, '', volumeName);
      if (!volume) return false;
      if (!volume.spec.csi) continue;
      const attachment = [...attachmentsOn(host.name)].find(
        (each) => each.spec.source.persistentVolumeName === volume.metadata.name,
      );
      if (!attachment?.status?.attached) return false;
    }
    return true;
  }

  const onNode = new Map<string, Set<string>>();
  function* attachmentsOn(node: string) {
    for (const name of onNode.get(node) ?? []) {
      const attachment = api.get(volumeAttachments, '', name);
      if (attachment) yield attachment;
    }
  }

  function wake(node: string): void {
    const own = waiting.get(node) ?? new Map<string, Waiting>();
    for (const [uid, { pod, host, go }] of own) {
      if (!isComplete(pod, host)) continue;
      own.delete(uid);
      go();
    }
  }

  const stop = api.watch(
    volumeAttachments,
    ({ type, object }) => {
      const { nodeName } = object.spec;
      const names = onNode.get(nodeName);
      if (type === 'DELETED') names?.delete(object.metadata.name);
      else if (names) names.add(object.metadata.name);
      else onNode.set(nodeName, new Set([object.metadata.name]));
      if (object.status?.attached) wake(nodeName);
    },
    { replay: true },
  );

  return {
    stop,
    forget(uid) {
      for (const own of waiting.values()) own.delete(uid);
    },
    whenAttached(pod, host, go) {
      if (isComplete(pod, host)) return go();
      const own = waiting.get(host.name);
      if (own) own.set(pod.metadata.uid, { pod, host, go });
      else waiting.set(host.name, new Map([[pod.metadata.uid, { pod, host, go }]]));
    },
  };
}
