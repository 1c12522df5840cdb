/**
 * The attach/detach controller and the CSI attachers in outline: a VolumeAttachment for every volume of a bound pod, gone again some time after
 * the last pod that uses it (pkg/controller/volume/attachdetach).
 */
import { createHash } from 'node:crypto';
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { claims, nodes, pods, volumeAttachments, volumes } from '../apiserver/kinds.ts';
import { isNodeReady, isPodFinished } from '../conditions.ts';
import type { PersistentVolume, VolumeAttachment } from '../kubernetes.ts';
import { claimNames } from '../scheduler/volumes.ts';
import { createWorkQueue, keyOf } from './work-queue.ts';

export interface AttachDetachOptions {
  readonly latency?: Latency;
  /** How long the cloud takes. Defaults: 2 to 6 s to attach, 2 to 8 s to detach. */
  readonly attach?: Latency;
  readonly detach?: Latency;
  /** How long a node that does not answer may keep a volume of a pod that is gone. Default 6 min. */
  readonly unmountTimeout?: Millis;
}

/** csi_attacher.go, getAttachmentName. */
export function attachmentName(volumeHandle: string, driver: string, node: string): string {
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${node}`).digest('hex')}`;
}

function isExclusive({ spec }: PersistentVolume): boolean {
  return (spec.accessModes ?? []).every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod');
}

interface Use {
  readonly volume: string;
  readonly node: string;
  readonly pods: Set<string>;
}

export function startAttachDetach(api: Api, options: AttachDetachOptions = {}): Part {
  const { clock, random } = api;
  const {
    attach = { least: 2_000, spread: 4_000 },
    detach = { least: 2_000, spread: 6_000 },
    unmountTimeout = 360_000,
  } = options;
  /** By volume and node. */
  const uses = new Map<string, Use>();
  const usesOfPod = new Map<string, Set<string>>();
  const waitingForClaim = new Map<string, Set<string>>();
  const attachmentsOf = new Map<string, Set<string>>();
  const timers = new Set<() => void>();
  const useKey = (volume: string, node: string) => `${volume} ${node}`;

  function after({ least, spread }: Latency, act: () => void): void {
    const cancel = clock.after(least + random() * spread, () => {
      timers.delete(cancel);
      act();
    });
    timers.add(cancel);
  }

  function csiOf(name: string) {
    const volume = api.get(volumes, '', name);
    return volume?.spec.csi && { volume, csi: volume.spec.csi };
  }

  /** The pod's volumes are wanted on its node. */
  const podQueue = createWorkQueue({
    clock,
    random,
    latency: options.latency,
    process(uid) {
      const pod = api.byUid(pods, uid);
      const node = pod?.spec.nodeName;
      if (!pod || !node || isPodFinished(pod)) return;
      const { namespace = '' } = pod.metadata;
      for (const name of claimNames(pod)) {
        const volume = api.get(claims, namespace, name)?.spec.volumeName;
        if (volume === undefined) {
          const key = `${namespace}/${name}`;
          waitingForClaim.set(key, (waitingForClaim.get(key) ?? new Set()).add(uid));
          continue;
        }
        if (!csiOf(volume)) continue;
        const key = useKey(volume, node);
        const use = uses.get(key) ?? { volume, node, pods: new Set() };
        uses.set(key, use);
        use.pods.add(uid);
        usesOfPod.set(uid, (usesOfPod.get(uid) ?? new Set()).add(key));
        useQueue.add(key);
      }
    },
  });

  /** Brings one volume on one node to what is wanted. */
  const useQueue = createWorkQueue({
    clock,
    random,
    latency: options.latency,
    process(key) {
      const use = uses.get(key);
      const found = use && csiOf(use.volume);
      if (!use || !found) return;
      const name = attachmentName(found.csi.volumeHandle, found.csi.driver, use.node);
      const attachment = api.get(volumeAttachments, '', name);
      if (use.pods.size > 0) {
        if (attachment) return;
        // A volume for one node at a time waits until the other node has let go of it; its end wakes this again.
        const others = [...(attachmentsOf.get(use.volume) ?? [])].some((each) => each !== name);
        if (!others || !isExclusive(found.volume)) create(use, name, found.csi.driver);
        return;
      }
      uses.delete(key);
      if (attachment && attachment.metadata.deletionTimestamp === undefined) api.remove(volumeAttachments, '', name);
    },
  });

  function create({ volume, node }: Use, name: string, driver: string): void {
    api.create(volumeAttachments, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name, finalizers: [`external-attacher/${driver.replaceAll('.', '-')}`] },
      spec: { attacher: driver, nodeName: node, source: { persistentVolumeName: volume } },
      status: { attached: false },
    });
  }

  /** The CSI attacher's part: the cloud does it, some time later. */
  function onAttachment(attachment: VolumeAttachment, previous: VolumeAttachment | undefined): void {
    const { name, deletionTimestamp } = attachment.metadata;
    if (deletionTimestamp !== undefined) {
      if (previous?.metadata.deletionTimestamp === undefined) after(detach, () => letGo(name));
    } else if (!previous && !attachment.status?.attached) {
      after(attach, () => {
        const set = (each: VolumeAttachment): VolumeAttachment =>
          each.metadata.deletionTimestamp === undefined ? { ...each, status: { ...each.status, attached: true } } : each;
        api.modify(volumeAttachments, '', name, set, { subresource: 'status' });
      });
    }
  }

  function letGo(name: string): void {
    api.modify(volumeAttachments, '', name, (each: VolumeAttachment) => {
      const { finalizers: _, ...metadata } = each.metadata;
      return { ...each, metadata };
    });
  }

  function leave(uid: string): void {
    for (const key of usesOfPod.get(uid) ?? []) {
      const use = uses.get(key);
      use?.pods.delete(uid);
      if (use?.pods.size === 0) useQueue.addAfter(key, mountedFor(use.node));
    }
    usesOfPod.delete(uid);
    for (const waiting of waitingForClaim.values()) waiting.delete(uid);
  }

  /** A node that does not answer cannot say that it has unmounted the volume: wait, unless it is known to be off. */
  function mountedFor(name: string): Millis {
    const node = api.get(nodes, '', name);
    const off = node?.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service');
    return !node || off || isNodeReady(node) ? 0 : unmountTimeout;
  }

  const stops = [
    api.watch(
      volumeAttachments,
      ({ type, object, previous }) => {
        const volume = object.spec.source.persistentVolumeName ?? '';
        const { name } = object.metadata;
        if (type !== 'DELETED') {
          attachmentsOf.set(volume, (attachmentsOf.get(volume) ?? new Set()).add(name));
          return onAttachment(object, previous);
        }
        const left = attachmentsOf.get(volume);
        left?.delete(name);
        if (left?.size === 0) attachmentsOf.delete(volume);
        for (const [key, use] of uses) if (use.volume === volume) useQueue.add(key);
      },
      { replay: true },
    ),
    api.watch(nodes, ({ type, object, previous }) => {
      const { name } = object.metadata;
      const same = previous && isNodeReady(previous) === isNodeReady(object) && previous.spec.taints === object.spec.taints;
      if (type === 'ADDED' || (type === 'MODIFIED' && (same || mountedFor(name) > 0))) return;
      for (const [key, use] of uses) if (use.node === name && use.pods.size === 0) useQueue.add(key);
    }),
    api.watch(claims, ({ type, object }) => {
      if (type === 'DELETED' || object.spec.volumeName === undefined) return;
      const waiting = waitingForClaim.get(keyOf(object));
      waitingForClaim.delete(keyOf(object));
      for (const uid of waiting ?? []) podQueue.add(uid);
    }),
    api.watch(
      pods,
      ({ type, object, previous }) => {
        const { uid } = object.metadata;
        if (!object.spec.volumes) return;
        if (type === 'DELETED' || isPodFinished(object)) leave(uid);
        else if (object.spec.nodeName && previous?.spec.nodeName !== object.spec.nodeName) podQueue.add(uid);
      },
      { replay: true },
    ),
  ];

  return {
    name: 'attach-detach',
    stop() {
      for (const stop of stops) stop();
      podQueue.stop();
      useQueue.stop();
      for (const cancel of timers) cancel();
    },
  };
}
