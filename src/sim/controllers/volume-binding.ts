/** Finds or makes a volume for each claim, and takes volumes back (pkg/controller/volume/persistentvolume, ephemeral), with the CSI provisioners. */
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { claims, nodes, pods, storageClasses, volumes } from '../apiserver/kinds.ts';
import type { Claim, KubeObject, PersistentVolume, Pod } from '../kubernetes.ts';
import { unitsOf } from '../quantity.ts';
import { SELECTED_NODE } from '../scheduler/claim-binder.ts';
import { createWorkQueue, keyOf, splitKey } from './work-queue.ts';

export interface VolumeBindingOptions {
  readonly latency?: Latency;
  /** How long the cloud takes to make a volume. Default 1 to 4 s. */
  readonly provision?: Latency;
}

const ZONE = 'topology.kubernetes.io/zone';
const manager = { fieldManager: 'kube-controller-manager' };

function isFor({ spec }: PersistentVolume, { metadata }: Claim): boolean {
  const { claimRef } = spec;
  if (claimRef?.namespace !== metadata.namespace || claimRef?.name !== metadata.name) return false;
  return claimRef.uid === undefined || claimRef.uid === metadata.uid;
}

function sizeOf(volume: PersistentVolume): number {
  return unitsOf((volume.spec['capacity'] as { storage?: string } | undefined)?.storage);
}

/** The smallest free volume that is large enough, of the class, with all access modes. */
function fitting(claim: Claim, free: readonly PersistentVolume[]): PersistentVolume | undefined {
  const wanted = unitsOf(claim.spec.resources?.requests?.['storage']);
  return free
    .filter(({ spec }) => !spec.claimRef && (spec.storageClassName ?? '') === (claim.spec.storageClassName ?? ''))
    .filter(({ spec }) => (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode)))
    .filter((volume) => sizeOf(volume) >= wanted)
    .sort((a, b) => sizeOf(a) - sizeOf(b))[0];
}

export function startVolumeBinding(api: Api, options: VolumeBindingOptions = {}): Part {
  const { clock, random } = api;
  const { provision: takes = { least: 1_000, spread: 3_000 } } = options;
  const provisioning = new Map<string, () => void>();

  function classOf({ spec }: Claim): KubeObject | undefined {
    return spec.storageClassName ? api.get(storageClasses, '', spec.storageClassName) : undefined;
  }

  const zoneOf = (node: string) => api.get(nodes, '', node)?.metadata.labels?.[ZONE];

  /** Of the selected node; else of any node, in turn. */
  function chooseZone(claim: Claim): string | undefined {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined) return zoneOf(selected);
    const zones = [...new Set(api.list(nodes).flatMap(({ metadata }) => metadata.labels?.[ZONE] ?? []))].sort();
    return zones[Math.floor(random() * zones.length)];
  }

  function sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const claim = api.get(claims, namespace, name);
    if (!claim || claim.metadata.deletionTimestamp !== undefined) return;
    const { volumeName } = claim.spec;
    if (volumeName !== undefined) {
      const volume = api.get(volumes, '', volumeName);
      if (volume && claim.status?.phase !== 'Bound') bind(claim, volume);
      else if (!volume && claim.status?.phase === 'Bound') setPhase(claim, 'Lost');
      return;
    }
    const storage = classOf(claim);
    const waits = storage?.['volumeBindingMode'] === 'WaitForFirstConsumer';
    if (waits && claim.metadata.annotations?.[SELECTED_NODE] === undefined) return;
    const found = api.list(volumes).find((each) => isFor(each, claim)) ?? fitting(claim, api.list(volumes));
    if (found) return bind(claim, found);
    const provisioner = storage?.['provisioner'];
    if (typeof provisioner !== 'string' || provisioner === 'kubernetes.io/no-provisioner' || provisioning.has(key)) return;
    provisioning.set(
      key,
      clock.after(takes.least + random() * takes.spread, () => {
        provisioning.delete(key);
        const current = api.get(claims, namespace, name);
        if (current?.metadata.uid === claim.metadata.uid) make(current, provisioner, storage?.['reclaimPolicy']);
      }),
    );
  }

  function make(claim: Claim, driver: string, reclaim: unknown): void {
    const { namespace = '', name, uid } = claim.metadata;
    const zone = chooseZone(claim);
    const volume = api.create(volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pvc-${uid}`, annotations: { 'pv.kubernetes.io/provisioned-by': driver } },
      spec: {
        accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
        capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' },
        persistentVolumeReclaimPolicy: reclaim ?? 'Delete',
        ...(claim.spec.storageClassName !== undefined && { storageClassName: claim.spec.storageClassName }),
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid } as {
          namespace: string;
          name: string;
          uid: string;
        },
        csi: { driver, volumeHandle: `vol-${uid}` },
        ...(zone !== undefined && {
          nodeAffinity: {
            required: { nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: 'In' as const, values: [zone] }] }] },
          },
        }),
      },
      status: { phase: 'Pending' },
    });
    bind(claim, volume);
  }

  /** In upstream's order: the volume names the claim, the claim names the volume, and both say Bound. */
  function bind(claim: Claim, volume: PersistentVolume): void {
    const { namespace = '', name, uid } = claim.metadata;
    const volumeName = volume.metadata.name;
    api.modify(
      volumes,
      '',
      volumeName,
      (each: PersistentVolume) =>
        each.spec.claimRef?.uid === uid ? each : { ...each, spec: { ...each.spec, claimRef: { namespace, name, uid } } },
      manager,
    );
    setVolumePhase(volumeName, 'Bound');
    api.modify(
      claims,
      namespace,
      name,
      (each: Claim) => (each.spec.volumeName === volumeName ? each : { ...each, spec: { ...each.spec, volumeName } }),
      manager,
    );
    setPhase(claim, 'Bound');
  }

  function setPhase({ metadata }: Claim, phase: 'Bound' | 'Lost'): void {
    api.modify(
      claims,
      metadata.namespace ?? '',
      metadata.name,
      (each: Claim) => (each.status?.phase === phase ? each : { ...each, status: { ...each.status, phase } }),
      { ...manager, subresource: 'status' },
    );
  }

  function setVolumePhase(name: string, phase: string): void {
    api.modify(
      volumes,
      '',
      name,
      (each: PersistentVolume) => (each.status?.phase === phase ? each : { ...each, status: { ...each.status, phase } }),
      { ...manager, subresource: 'status' },
    );
  }

  /** The claim is gone: the volume goes too, or waits for somebody to take care of what is on it. */
  function release(claim: Claim): void {
    provisioning.get(keyOf(claim))?.();
    provisioning.delete(keyOf(claim));
    const { volumeName } = claim.spec;
    const volume = volumeName === undefined ? undefined : api.get(volumes, '', volumeName);
    if (!volume || volume.spec.claimRef?.uid !== claim.metadata.uid) return;
    if (volume.spec['persistentVolumeReclaimPolicy'] === 'Delete') api.remove(volumes, '', volume.metadata.name);
    else setVolumePhase(volume.metadata.name, 'Released');
  }

  /** Generic ephemeral volumes: a claim of the pod's own, which goes with it. */
  function claimFor(pod: Pod): void {
    const { namespace = '', name, uid } = pod.metadata;
    for (const volume of pod.spec.volumes ?? []) {
      if (!volume.ephemeral || api.get(claims, namespace, `${name}-${volume.name}`)) continue;
      const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true }];
      api.create(claims, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: `${name}-${volume.name}`, namespace, ownerReferences },
        spec: volume.ephemeral.volumeClaimTemplate.spec,
      });
    }
  }

  const queue = createWorkQueue({ clock, random, latency: options.latency, process: sync });
  const podQueue = createWorkQueue({
    clock,
    random,
    latency: options.latency,
    process(uid) {
      const pod = api.byUid(pods, uid);
      if (pod && pod.metadata.deletionTimestamp === undefined) claimFor(pod);
    },
  });
  const releaseQueue = createWorkQueue({
    clock,
    random,
    latency: options.latency,
    process(uid) {
      const claim = released.get(uid);
      released.delete(uid);
      if (claim) release(claim);
    },
  });
  const released = new Map<string, Claim>();

  const stops = [
    api.watch(
      claims,
      ({ type, object }) => {
        if (type !== 'DELETED') return queue.add(keyOf(object));
        released.set(object.metadata.uid, object);
        releaseQueue.add(object.metadata.uid);
      },
      { replay: true },
    ),
    api.watch(volumes, ({ type, object }) => {
      const { claimRef } = object.spec;
      if (claimRef) queue.add(`${claimRef.namespace}/${claimRef.name}`);
      // A volume that somebody puts there may be what a claim has been waiting for.
      else if (type === 'ADDED') for (const claim of api.list(claims)) if (!claim.spec.volumeName) queue.add(keyOf(claim));
    }),
    api.watch(
      pods,
      ({ type, object }) => {
        if (type === 'ADDED' && object.spec.volumes?.some(({ ephemeral }) => ephemeral)) podQueue.add(object.metadata.uid);
      },
      { replay: true },
    ),
  ];

  return {
    name: 'volume-binding',
    stop() {
      for (const stop of stops) stop();
      for (const each of [queue, podQueue, releaseQueue]) each.stop();
      for (const cancel of provisioning.values()) cancel();
    },
  };
}
