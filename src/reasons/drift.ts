import type { NodeExpression } from '../api/node-expression.ts';
import type { Node, NodeVersions } from '../api/objects.ts';
import type { ReasonContext, ReasonMatch, RuleOf } from './reason.ts';
import { compareVersions } from './version.ts';

export type DriftRule =
  | { readonly version: VersionRule }
  | { readonly label: { readonly key: string; readonly value: string } }
  | { readonly expression: string; readonly isDrifted: NodeExpression };

export type VersionRule = { readonly what: keyof typeof versionFields } & (
  | { readonly exactly: string }
  | { readonly atLeast: string }
  | { readonly newestOf: string }
);

export const versionFields = {
  Kubelet: 'kubelet',
  OSImage: 'osImage',
  Kernel: 'kernel',
  ContainerRuntime: 'containerRuntime',
} as const satisfies Record<string, keyof NodeVersions>;

const words = { Kubelet: 'kubelet', OSImage: 'OS image', Kernel: 'kernel', ContainerRuntime: 'container runtime' } as const;

/** A node that is not what it should be. What is not known of it is no drift. */
export function driftReason({ drift }: RuleOf<'Drift'>, node: Node, context: ReasonContext): ReasonMatch {
  if ('version' in drift) return versionDrift(drift.version, node, context);
  if ('label' in drift) {
    const { key, value } = drift.label;
    const has = node.labels[key];
    if (has === value) return { pass: false, because: `its label ${key} is ${value}` };
    return { pass: true, message: has === undefined ? `it has no label ${key}` : `label ${key} is ${has}, not ${value}` };
  }
  const answer = drift.isDrifted(node);
  if (typeof answer === 'object') return { pass: false, because: `${drift.expression} cannot be asked: ${answer.error}` };
  return answer ? { pass: true, message: drift.expression } : { pass: false, because: `not ${drift.expression}` };
}

function versionDrift(rule: VersionRule, node: Node, context: ReasonContext): ReasonMatch {
  const what = words[rule.what];
  const has = node.versions[versionFields[rule.what]];
  if (has === '') return { pass: false, because: `its ${what} is not known` };
  if ('exactly' in rule)
    return has === rule.exactly
      ? { pass: false, because: `its ${what} is ${has}` }
      : { pass: true, message: `${what} ${has}, not ${rule.exactly}` };
  const wanted = 'atLeast' in rule ? rule.atLeast : context.newestVersion(node, rule.what, rule.newestOf);
  if (wanted === null || compareVersions(has, wanted) >= 0) return { pass: false, because: `its ${what} is ${has}` };
  return { pass: true, message: `${what} ${has} is older than ${wanted}` };
}
