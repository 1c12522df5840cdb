/** The maintenance that is proposed, as policies and marked nodes: what the controller of the simulated cluster will find. */
import { parseAllDocuments } from 'yaml';
import { isEmptySelector, matchesSelector } from '../../api/label-selector.ts';
import { GROUP_VERSION } from '../../api/names.ts';
import type { DrainSpec, MaintenancePolicy } from '../../api/resources.ts';
import { formatFieldErrors, parsePolicy } from '../../api/validate.ts';
import { compilePolicy } from '../../controller/compile.ts';
import type { Node } from '../../sim/kubernetes.ts';
import { CommandError, UsageError } from '../errors.ts';
import { closeMatches, nodeName } from '../nodes.ts';
import { parseSelectorText } from '../selector-text.ts';

/** The label that stands for "as if its reason held" in the simulation. It is never written to a real cluster. */
export const PLANNED = 'plan.drover.dev/planned';

export interface Proposal {
  readonly policies: readonly MaintenancePolicy[];
  /** Nodes that are taken to have a reason, whatever they say. */
  readonly marked: ReadonlySet<string>;
}

const plannedReason = { type: 'Label', label: { key: PLANNED } } as const;

/** Nodes named on the command line, or by a selector, under the limits of the flags. @throws CommandError, UsageError */
export function proposeNodes(
  nodes: readonly Node[],
  names: readonly string[],
  selector: string | null,
  limits: { readonly maxNodes: number | string; readonly drain: Partial<DrainSpec> },
): Proposal {
  const marked = new Set(selector === null ? known(nodes, names.map(nodeName)) : selected(nodes, selector));
  const policy = {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'plan' },
    spec: {
      nodeSelector: { matchLabels: { [PLANNED]: 'yes' } },
      reasons: [plannedReason],
      disruption: { maxNodes: limits.maxNodes, massTrigger: '100%' },
      drain: limits.drain,
    },
  };
  return { policies: [checked(policy, 'the flags')], marked };
}

/** @param all true: every node that a policy selects is taken to have a reason. @throws CommandError for a file that is no policy */
export function proposePolicies(
  nodes: readonly Node[],
  texts: readonly { file: string; text: string }[],
  all: boolean,
): Proposal {
  const written = texts.flatMap(({ file, text }) =>
    parseAllDocuments(text).flatMap((document) => {
      const [error] = document.errors;
      if (error) throw new CommandError(`${file}: ${error.message.split('\n')[0]}`);
      const value: unknown = document.toJS();
      return value === null ? [] : [checked(value, file)];
    }),
  );
  if (written.length === 0) throw new CommandError('the file has no MaintenancePolicy in it');
  if (!all) return { policies: written, marked: new Set() };
  const policies = written.map((policy) => ({
    ...policy,
    spec: { ...policy.spec, reasons: [...policy.spec.reasons, plannedReason] },
  }));
  const marked = new Set<string>();
  for (const policy of written) {
    const { selector } = compilePolicy(policy);
    if (isEmptySelector(selector)) continue;
    for (const { metadata } of nodes) if (matchesSelector(selector, metadata.labels ?? {})) marked.add(metadata.name);
  }
  return { policies, marked };
}

function checked(value: unknown, from: string): MaintenancePolicy {
  const parsed = parsePolicy(value);
  if (parsed.ok) return parsed.value;
  const name = (value as { metadata?: { name?: string } } | null)?.metadata?.name ?? '';
  const [first = '', ...details] = formatFieldErrors('MaintenancePolicy', name, parsed.errors);
  throw new CommandError(`${from}: ${first}`, { details });
}

function known(nodes: readonly Node[], names: readonly string[]): string[] {
  const all = new Set(nodes.map(({ metadata }) => metadata.name));
  for (const name of names) {
    if (all.has(name)) continue;
    const close = closeMatches(name, [...all]);
    throw new CommandError(`there is no node "${name}"${close.length > 0 ? `; did you mean ${close.join(' or ')}?` : ''}`);
  }
  return [...names];
}

function selected(nodes: readonly Node[], text: string): string[] {
  const requirements = parseSelectorText(text);
  if (requirements.length === 0) throw new UsageError('the --selector is empty; name the nodes, or a label of theirs');
  const found = nodes.filter(({ metadata }) =>
    matchesSelector({ matchLabels: {}, matchExpressions: requirements }, metadata.labels ?? {}),
  );
  if (found.length === 0) throw new CommandError(`no node matches the selector "${text}"`);
  return found.map(({ metadata }) => metadata.name);
}
