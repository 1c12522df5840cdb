/** The nodes that a command line names, or a plain error that helps to name them right. */
import type { Node } from '../api/objects.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { nodes as nodeKind } from '../kube/kinds.ts';
import { readList, readOne } from '../kube/read.ts';
import { CommandError, UsageError } from './errors.ts';

/** To be asked before the cluster is. @throws UsageError unless exactly one of the two is given. */
export function requireNodes(names: readonly string[], selector: string | null): void {
  if (names.length > 0 && selector !== null) throw new UsageError('name the nodes or give a --selector, not both');
  if (names.length === 0 && !selector) throw new UsageError('no node is named; give one or more names, or a --selector');
}

/**
 * Each node once, in the order of the command line (of the API server for a selector).
 * @throws CommandError for a name or a selector without a node.
 */
export async function namedNodes(client: KubeClient, names: readonly string[], selector: string | null): Promise<Node[]> {
  if (selector) {
    const found = await readList(client, nodeKind, { labelSelector: selector });
    if (found.length === 0)
      throw new CommandError(`no node matches the selector "${selector}"; see: kubectl get nodes --show-labels`);
    return found;
  }
  return Promise.all([...new Set(names.map(nodeName))].map((name) => readNode(client, name)));
}

/** "node/worker-1" is how kubectl writes it, and what `kubectl get -o name` prints. */
export function nodeName(word: string): string {
  const name = word.replace(/^(node|nodes|no)\//, '');
  if (name.includes('/') || name === '') throw new UsageError(`"${word}" is not the name of a node`);
  return name;
}

export async function readNode(client: KubeClient, name: string): Promise<Node> {
  try {
    return await readOne(client, nodeKind, { name });
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 404) throw error;
    const all = await readList(client, nodeKind);
    const close = closeMatches(
      name,
      all.map((node) => node.name),
    );
    const hint = close.length > 0 ? `did you mean ${close.join(' or ')}?` : 'see: kubectl get nodes';
    throw new CommandError(`there is no node "${name}"; ${hint}`, { cause: error });
  }
}

/** At most three names that are a slip or two, or a missing beginning or end, away from the one that was typed. */
export function closeMatches(typed: string, names: readonly string[]): string[] {
  const limit = typed.length <= 4 ? 1 : Math.max(2, Math.floor(typed.length / 4));
  return names
    .map((name) => ({ name, distance: name.includes(typed) || typed.includes(name) ? 0 : editDistance(typed, name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
