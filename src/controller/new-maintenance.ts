/** The NodeMaintenances that the controller creates. */
import type { NodeMaintenance } from '../api/resources.ts';
import { finalizers, GROUP_VERSION, labels } from '../api/names.ts';
import { isoSeconds } from '../engine/journal.ts';
import type { Notice } from '../reasons/notice.ts';
import type { Match } from './matcher.ts';
import { cut } from './status.ts';

/**
 * "worker-1-x3k9q": readable, unique for node, policy and repetition. The first that is not taken, so that a creation that is repeated
 * after a crash meets its own object, and a repetition never meets one that is kept for people to look at.
 */
export function nameOf(nodeName: string, nodeUid: string, policy: string, isTaken: (name: string) => boolean): string {
  for (let repetition = 0; ; repetition += 1) {
    let hash = 2_166_136_261; // FNV-1a
    for (const char of `${nodeUid}/${policy}/${repetition}`) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
    const name = `${shortened(nodeName, 240)}-${(hash >>> 0).toString(36).padStart(5, '0')}`;
    if (!isTaken(name)) return name;
  }
}

/** What the API server sets is not there yet: defaults, uid, times. */
export interface NodeMaintenanceDraft {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Pick<NodeMaintenance['metadata'], 'name' | 'finalizers' | 'labels'>;
  readonly spec: Partial<NodeMaintenance['spec']>;
}

/** The object as it is posted: the policy's drain settings are copied, so that a later change of the policy does not change a drain midway. */
export function newMaintenance(name: string, nodeName: string, match: Match): NodeMaintenanceDraft {
  const { policy, rule, message, notice } = match;
  const { action, reboot, verify, hooks, drain, handBack, priority } = policy.source.spec;
  return {
    apiVersion: GROUP_VERSION,
    kind: 'NodeMaintenance',
    // A label value may have 63 characters where a policy's name may have 253.
    metadata: { name, finalizers: [finalizers.undo], labels: { [labels.policy]: shortened(policy.name, 63) } },
    spec: {
      nodeName,
      policy: policy.name,
      reason: { type: rule.type, message: cut(message, 1_024) },
      drain,
      handBack,
      priority: rule.priority ?? priority,
      ...(action !== 'Drain' && { action }),
      ...(reboot && { reboot }),
      ...(verify && { verify }),
      ...(hooks && { hooks }),
      ...(notice && noticeFields(notice)),
    },
  };
}

type WrittenNotice = NonNullable<NodeMaintenance['spec']['notice']>;

/** A notice as it stands in the object: its deadline, and what else is to be known of it. */
export function noticeFields(notice: Notice): { readonly deadline?: string; readonly notice: WrittenNotice } {
  const { kind, source, id, profile, revocable, since, goneAt, heldUntil } = notice;
  return {
    ...(goneAt !== undefined && { deadline: isoSeconds(goneAt) }),
    notice: {
      kind: cut(kind, 64),
      source: cut(source, 64),
      id: cut(id, 256),
      profile,
      revocable,
      ...(since !== undefined && { since: isoSeconds(since) }),
      ...(heldUntil !== undefined && { heldUntil: isoSeconds(heldUntil) }),
    },
  };
}

/** Both a name and a label value must end in a letter or digit. */
function shortened(text: string, max: number): string {
  return text.slice(0, max).replace(/[^a-z0-9]+$/, '');
}
