/** The revisions of a DaemonSet, and the hash that its current pods carry (pkg/controller/daemon/update.go, constructHistory). */
import type { Api } from '../apiserver/api.ts';
import { daemonSets } from '../apiserver/kinds.ts';
import type { DaemonSet, Pod } from '../kubernetes.ts';
import { claim } from './controller-ref.ts';
import {
  byRevision,
  type ControllerRevision,
  isOfTemplate,
  removeRevision,
  renumber,
  revisionDraft,
  revisions,
} from './controller-revision.ts';
import { DAEMON_HASH } from './daemon-pods.ts';

export interface DaemonHistory {
  readonly hash: string;
  /** In order of their numbers. */
  readonly old: readonly ControllerRevision[];
}

interface DaemonStatus {
  readonly observedGeneration?: number;
  readonly collisionCount?: number;
}

const hashOf = ({ metadata }: ControllerRevision) => metadata.labels?.[DAEMON_HASH] ?? metadata.name;

/**
 * The revision of the set's template. When the status has seen this generation, there was one: if none says the same (another version of
 * Kubernetes wrote it) the last one is it, and if none was loaded with the set it is made anew under the hash of the youngest pod; else a
 * cluster read from a snapshot would begin to roll.
 */
function currentRevision(
  api: Api,
  set: DaemonSet,
  all: readonly ControllerRevision[],
  podsOf: () => readonly Pod[],
): ControllerRevision {
  const equal = all.findLast((revision) => isOfTemplate(revision, set.spec.template));
  if (equal) return equal;
  const { observedGeneration, collisionCount } = (set.status ?? {}) as DaemonStatus;
  const last = all.at(-1);
  const seen = observedGeneration !== undefined && observedGeneration === set.metadata.generation;
  if (seen && last) return last;
  const youngest = seen
    ? podsOf().toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))[0]
    : undefined;
  const hash = youngest?.metadata.labels?.[DAEMON_HASH];
  return api.create(
    revisions,
    revisionDraft({
      ownerKind: daemonSets,
      owner: set,
      revision: (last?.revision ?? 0) + 1,
      hashLabel: DAEMON_HASH,
      collisions: collisionCount,
      ...(hash !== undefined && { hash }),
    }),
  );
}

/** Makes or renumbers the revision of the set's template. `orphans`: revisions without an owner that the selector matches. */
export function daemonHistory(
  api: Api,
  set: DaemonSet,
  orphans: readonly ControllerRevision[],
  podsOf: () => readonly Pod[],
): DaemonHistory {
  const all = claim({
    api,
    ownerKind: daemonSets,
    owner: set,
    selector: set.spec.selector,
    kind: revisions,
    candidates: [...api.dependents(revisions, set.metadata.uid), ...orphans],
  }).toSorted(byRevision);
  const current = currentRevision(api, set, all, podsOf);
  const old = all.filter((revision) => revision.metadata.name !== current.metadata.name);
  const number = (old.at(-1)?.revision ?? 0) + 1;
  if (current.revision < number) renumber(api, current, number);
  return { hash: hashOf(current), old };
}

/** Removes the oldest revisions that no pod has, but for the last few. */
export function truncateHistory(
  api: Api,
  limit: number,
  old: readonly ControllerRevision[],
  live: () => ReadonlySet<string>,
): void {
  let surplus = old.length - limit;
  if (surplus <= 0) return;
  const hashes = live();
  for (const revision of old) {
    if (surplus <= 0) return;
    if (hashes.has(hashOf(revision))) continue;
    removeRevision(api, revision);
    surplus -= 1;
  }
}
