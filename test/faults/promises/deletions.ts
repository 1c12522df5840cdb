/** No pod leaves through Drover but by eviction of that very pod, unless its policy's ladder or the end of the machine allows it. */
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { isPodFinished } from '../../../src/sim/conditions.ts';
import type { Pod } from '../../../src/sim/kubernetes.ts';
import type { Maintenance, Stage } from '../stage.ts';
import { handoverOf, isRebootPod, keyOf, maintenanceOf } from './marks-of-drover.ts';
import type { KeepWatch } from './promise.ts';

const PROMISE = 'no pod is deleted but by eviction';

interface DeleteBody {
  readonly deleteOptions?: DeleteBody;
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string };
}

const mayDelete = ({ spec }: Maintenance): boolean =>
  spec.deadline !== undefined || spec.drain.ladder.some((step) => step.do === 'Delete');
const mayShorten = (maintenance: Maintenance): boolean =>
  mayDelete(maintenance) || maintenance.spec.drain.ladder.some((step) => step.do === 'ShortenGrace');

/** Its ReplicaSet went while it was handed over: with it, it would have been deleted. */
function isOrphan({ api }: Stage, pod: Pod): boolean {
  const handover = handoverOf(pod);
  if (!handover) return false;
  const owner = api.byUid(kinds.replicaSets, handover.owner.uid);
  return owner === undefined || owner.metadata.deletionTimestamp !== undefined;
}

export const deletesOnlyByEviction: KeepWatch = (stage) => {
  stage.watch(kinds.pods, ({ type, object, previous }, by) => {
    if (!by || type === 'ADDED' || !previous) return;
    const goes = type === 'DELETED' || object.metadata.deletionTimestamp !== previous.metadata.deletionTimestamp;
    if (!goes) return;
    const broken = (how: string) => stage.broken(PROMISE, `pod ${keyOf(object)} on ${object.spec.nodeName}: ${how}`);
    const body = (by.body ?? {}) as DeleteBody;
    const options = body.deleteOptions ?? body;
    if (options.preconditions?.uid !== object.metadata.uid) broken('asked for without its uid');
    const ran = previous.spec.nodeName !== undefined && !isPodFinished(previous);
    if (ran && (options.gracePeriodSeconds ?? previous.spec.terminationGracePeriodSeconds ?? 30) < 1) broken('with grace 0');
    if (by.path.endsWith('/eviction')) return;
    if (isRebootPod(object)) return; // Drover's own
    const maintenance = maintenanceOf(stage, object.spec.nodeName ?? '');
    const wasGoing = previous.metadata.deletionTimestamp !== undefined;
    if (maintenance && (wasGoing ? mayShorten(maintenance) : mayDelete(maintenance))) return;
    if (!isOrphan(stage, previous)) broken(`${by.method} ${by.path}`);
  });
  return {};
};
