/** The kinds that are always JSON: owners, budgets, services, volumes. */
import type {
  Budget,
  Claim,
  Deployment,
  EndpointSlice,
  LabelSelector,
  LabelUse,
  ReplicaSet,
  Service,
  VolumeAttachment,
} from '../api/objects.ts';
import { intern } from './intern.ts';
import { identity, labelsOf, metaOf, ownerOf, type RawSelector, selectorOf, timeOf } from './raw.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface RawBudget {
  spec?: {
    selector?: RawSelector | null;
    minAvailable?: string | number;
    maxUnavailable?: string | number;
    unhealthyPodEvictionPolicy?: string;
  };
  status?: {
    observedGeneration?: number;
    disruptionsAllowed?: number;
    currentHealthy?: number;
    desiredHealthy?: number;
    expectedPods?: number;
    disruptedPods?: Record<string, string> | null;
    conditions?: { type?: string; reason?: string; message?: string }[] | null;
  };
}

export function decodeBudget(object: unknown): Budget {
  const meta = metaOf(object);
  const { spec, status } = object as RawBudget;
  const failed = status?.conditions?.find(({ type, reason }) => type === 'DisruptionAllowed' && reason === 'SyncFailed');
  const { namespace, name, uid, resourceVersion } = identity(meta);
  // One literal: V8 puts each further field of a spread in by way of the runtime, and of these two kinds there is one for each pod that moves.
  const budget: Mutable<Budget> = {
    namespace,
    name,
    uid,
    resourceVersion,
    generation: meta.generation ?? 0,
    selector: spec?.selector ? selectorOf(spec.selector) : null,
    unhealthyPodEviction: spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' ? 'AlwaysAllow' : 'IfHealthyBudget',
    observedGeneration: status?.observedGeneration ?? 0,
    disruptionsAllowed: status?.disruptionsAllowed ?? 0,
    currentHealthy: status?.currentHealthy ?? 0,
    desiredHealthy: status?.desiredHealthy ?? 0,
    expectedPods: status?.expectedPods ?? 0,
    disruptedPods: Object.keys(status?.disruptedPods ?? {}),
  };
  if (spec?.minAvailable !== undefined) budget.minAvailable = String(spec.minAvailable);
  if (spec?.maxUnavailable !== undefined) budget.maxUnavailable = String(spec.maxUnavailable);
  if (failed) budget.syncFailed = failed.message ?? '';
  return budget;
}

export function decodeReplicaSet(object: unknown): ReplicaSet {
  const meta = metaOf(object);
  const { spec } = object as { spec?: { replicas?: number; minReadySeconds?: number; selector?: RawSelector } };
  const owner = ownerOf(meta);
  const deletedAt = timeOf(meta.deletionTimestamp);
  const { namespace, name, uid, resourceVersion } = identity(meta);
  const replicaSet: Mutable<ReplicaSet> = {
    namespace,
    name,
    uid,
    resourceVersion,
    // Absent means 1, as the API server's default says.
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    selector: selectorOf(spec?.selector),
  };
  if (owner) replicaSet.owner = owner;
  if (deletedAt !== undefined) replicaSet.deletedAt = deletedAt;
  return replicaSet;
}

export function decodeDeployment(object: unknown): Deployment {
  const meta = metaOf(object);
  const { spec } = object as { spec?: { strategy?: { type?: string }; paused?: boolean; replicas?: number } };
  return {
    ...identity(meta),
    strategy: spec?.strategy?.type === 'Recreate' ? 'Recreate' : 'RollingUpdate',
    paused: spec?.paused === true,
    replicas: spec?.replicas ?? 1,
  };
}

export function decodeService(object: unknown): Service {
  const { spec } = object as { spec?: { selector?: Record<string, string> | null } };
  const selector = spec?.selector;
  return { ...identity(metaOf(object)), selector: selector && Object.keys(selector).length > 0 ? labelsOf(selector) : null };
}

interface RawEndpoint {
  conditions?: { ready?: boolean | null; terminating?: boolean | null };
  targetRef?: { kind?: string; uid?: string } | null;
}

export function decodeEndpointSlice(object: unknown): EndpointSlice {
  const meta = metaOf(object);
  const { endpoints } = object as { endpoints?: RawEndpoint[] | null };
  const readyPods: string[] = [];
  for (const { conditions, targetRef } of endpoints ?? []) {
    // A missing `ready` means true (discovery/v1 EndpointConditions). A terminating pod of a Service with publishNotReadyAddresses is "ready".
    const listed = conditions?.ready !== false && conditions?.terminating !== true;
    if (listed && targetRef?.kind === 'Pod' && targetRef.uid) readyPods.push(targetRef.uid);
  }
  return { ...identity(meta), service: intern(meta.labels?.['kubernetes.io/service-name'] ?? ''), readyPods };
}

interface RawPeers {
  from?: { podSelector?: RawSelector | null }[] | null;
  to?: { podSelector?: RawSelector | null }[] | null;
}

/** The policy's own pods first, then every peer that it picks by label. */
export function decodeNetworkPolicy(object: unknown): LabelUse {
  const { spec } = object as { spec?: { podSelector?: RawSelector; ingress?: RawPeers[] | null; egress?: RawPeers[] | null } };
  const peers = [
    ...(spec?.ingress ?? []).flatMap(({ from }) => from ?? []),
    ...(spec?.egress ?? []).flatMap(({ to }) => to ?? []),
  ];
  const selectors = [spec?.podSelector ?? {}, ...peers.flatMap(({ podSelector }) => (podSelector ? [podSelector] : []))];
  return { ...identity(metaOf(object)), kind: 'NetworkPolicy', selectors: selectors.map(selectorOf) };
}

/** StatefulSet, DaemonSet and Job: one selector of the usual form; a ReplicationController's is a plain map. */
export function decodeLabelUse(kind: Exclude<LabelUse['kind'], 'NetworkPolicy'>): (object: unknown) => LabelUse {
  return (object) => {
    const { spec } = object as { spec?: { selector?: RawSelector | Record<string, string> } };
    const selector: LabelSelector | undefined = !spec?.selector
      ? undefined
      : kind === 'ReplicationController'
        ? { matchLabels: labelsOf(spec.selector as Record<string, string>), matchExpressions: [] }
        : selectorOf(spec.selector);
    return { ...identity(metaOf(object)), kind, selectors: selector ? [selector] : [] };
  };
}

export function decodeClaim(object: unknown): Claim {
  const { spec } = object as { spec?: { accessModes?: string[] | null; volumeName?: string } };
  return { ...identity(metaOf(object)), accessModes: spec?.accessModes ?? [], volumeName: spec?.volumeName ?? '' };
}

export function decodeVolumeAttachment(object: unknown): VolumeAttachment {
  const { spec, status } = object as {
    spec?: { nodeName?: string; source?: { persistentVolumeName?: string | null } };
    status?: { attached?: boolean };
  };
  return {
    ...identity(metaOf(object)),
    nodeName: intern(spec?.nodeName ?? ''),
    volumeName: spec?.source?.persistentVolumeName ?? '',
    attached: status?.attached === true,
  };
}
