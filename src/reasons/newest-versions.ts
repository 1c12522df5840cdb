/** The newest version of each group of nodes, kept up to date node by node: with thousands of nodes none is read again for another. */
import type { Node } from '../api/objects.ts';
import { type VersionRule, versionFields } from './drift.ts';
import type { ReasonRule } from './reason.ts';
import { compareVersions } from './version.ts';

export interface Ask {
  readonly what: VersionRule['what'];
  readonly label: string;
}

export function asksOf(rules: readonly ReasonRule[]): readonly Ask[] {
  return rules.flatMap((rule): Ask[] => {
    const version = rule.type === 'Drift' && 'version' in rule.drift ? rule.drift.version : null;
    return version && 'newestOf' in version ? [{ what: version.what, label: version.newestOf }] : [];
  });
}

export interface NewestVersions {
  /** What is asked for from now on; every node is to be shown again. */
  track(asks: readonly Ask[]): void;
  /** To be called with every version of a node. Returns the nodes whose answer has changed with it. */
  see(node: Node): readonly string[];
  forget(nodeName: string): readonly string[];
  /** null: the node has no such label, or no node of the group tells its version. */
  newest(node: Node, what: Ask['what'], label: string): string | null;
}

interface Group {
  readonly versions: Map<string, Set<string>>; // version -> nodes
  newest: string | null;
}

const NONE: readonly string[] = [];

export function createNewestVersions(): NewestVersions {
  let asks: readonly Ask[] = [];
  const groups = new Map<string, Group>();
  /** Per node: where it is counted. */
  const places = new Map<string, readonly { readonly key: string; readonly version: string }[]>();

  const keyOf = ({ what, label }: Ask, value: string) => `${what}\n${label}\n${value}`;
  const settle = (group: Group): boolean => {
    let newest: string | null = null;
    for (const version of group.versions.keys()) if (newest === null || compareVersions(version, newest) > 0) newest = version;
    // Of two that cannot be told apart the first stays, or nodes would be looked at without end.
    const changed =
      newest === null || group.newest === null ? newest !== group.newest : compareVersions(newest, group.newest) !== 0;
    if (changed || !group.versions.has(group.newest ?? '')) group.newest = newest;
    return changed;
  };
  const take = (nodeName: string): Set<Group> => {
    const touched = new Set<Group>();
    for (const { key, version } of places.get(nodeName) ?? []) {
      const group = groups.get(key);
      const nodes = group?.versions.get(version);
      if (!group || !nodes) continue;
      nodes.delete(nodeName);
      if (nodes.size === 0) group.versions.delete(version);
      if (group.versions.size === 0) groups.delete(key);
      touched.add(group);
    }
    places.delete(nodeName);
    return touched;
  };
  const changedOf = (touched: Iterable<Group>): readonly string[] => {
    const names: string[] = [];
    for (const group of touched) if (settle(group)) for (const nodes of group.versions.values()) names.push(...nodes);
    return names;
  };

  return {
    track(next) {
      asks = next;
      groups.clear();
      places.clear();
    },
    see(node) {
      if (asks.length === 0) return NONE;
      const next = asks.flatMap((ask) => {
        const value = node.labels[ask.label];
        const version = node.versions[versionFields[ask.what]];
        return value === undefined || version === '' ? [] : [{ key: keyOf(ask, value), version }];
      });
      const before = places.get(node.name) ?? [];
      const same =
        before.length === next.length &&
        before.every(({ key, version }, at) => next[at]?.key === key && next[at]?.version === version);
      if (same) return NONE;
      const touched = take(node.name);
      for (const { key, version } of next) {
        let group = groups.get(key);
        if (!group) groups.set(key, (group = { versions: new Map(), newest: null }));
        const nodes = group.versions.get(version);
        if (nodes) nodes.add(node.name);
        else group.versions.set(version, new Set([node.name]));
        touched.add(group);
      }
      places.set(node.name, next);
      return changedOf(touched);
    },
    forget: (nodeName) => changedOf(take(nodeName)),
    newest(node, what, label) {
      const value = node.labels[label];
      return value === undefined ? null : (groups.get(keyOf({ what, label }, value))?.newest ?? null);
    },
  };
}
