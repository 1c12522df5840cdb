/** Which ReplicaSet stands for which template, and the annotations that remember it (pkg/controller/deployment/util/deployment_util.go). */
import type { Draft } from '../apiserver/api.ts';
import { deployments } from '../apiserver/kinds.ts';
import type { Deployment, Labels, ReplicaSet } from '../kubernetes.ts';
import { newControllerRef } from './controller-ref.ts';
import {
  byAge,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  newSize,
  REVISION,
  REVISION_HISTORY,
  revisionOf,
  rollingLimits,
  wanted,
} from './deployment-limits.ts';
import { safeHash, sameTemplate, TEMPLATE_HASH, templateDigest } from './pod-template.ts';

const NOT_COPIED = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);
const HISTORY_CHARACTERS = 2000;
const LONGEST_NAME = 253;

export interface Revisions {
  /** The set with the Deployment's template, the oldest where several have it; undefined before it is made. */
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

export function revisionsOf(deployment: Deployment, sets: readonly ReplicaSet[]): Revisions {
  const { template } = deployment.spec;
  const aged = sets.length > 1 ? sets.toSorted(byAge) : sets;
  const current = aged.find((set) => sameTemplate(set.spec.template, template));
  return { current, old: aged.filter((set) => set !== current) };
}

export const nextRevision = (old: readonly ReplicaSet[]): number => Math.max(0, ...old.map(revisionOf)) + 1;

function history(text: string, left: string): string {
  const revisions = text === '' ? [] : text.split(',');
  let length = text.length + left.length + 1;
  let start = 0;
  for (; length > HISTORY_CHARACTERS && start < revisions.length; start += 1) length -= (revisions[start]?.length ?? 0) + 1;
  return length <= HISTORY_CHARACTERS ? [...revisions.slice(start), left].join(',') : text;
}

export function replicasAnnotations(deployment: Deployment): Labels {
  const replicas = wanted(deployment);
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + rollingLimits(deployment).surge) };
}

/** What the current set's annotations should be: the Deployment's own, and the revision, which never goes back. */
export function revisionAnnotations(deployment: Deployment, annotations: Labels, revision: number): Labels {
  const next: Record<string, string> = { ...annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!NOT_COPIED.has(key)) next[key] = value;
  const before = annotations[REVISION];
  if (Number(before ?? 0) >= revision) return next;
  next[REVISION] = String(revision);
  // The set served before and serves again: a roll back.
  if (before !== undefined) next[REVISION_HISTORY] = history(annotations[REVISION_HISTORY] ?? '', before);
  return next;
}

/** The ReplicaSet for the Deployment's template. Its name follows from the template, so that making it twice is refused. */
export function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[]): Draft<ReplicaSet> {
  const { template, selector, minReadySeconds } = deployment.spec;
  const hash = safeHash(templateDigest(template), deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  const { name, namespace = '' } = deployment.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name.slice(0, LONGEST_NAME - 1 - hash.length)}-${hash}`,
      namespace,
      labels,
      annotations: { ...revisionAnnotations(deployment, {}, nextRevision(old)), ...replicasAnnotations(deployment) },
      ownerReferences: [newControllerRef(deployments, deployment)],
    },
    spec: {
      replicas: newSize(deployment, old, 0),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
}
