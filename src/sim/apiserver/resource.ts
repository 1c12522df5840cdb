/** The served kinds as the server uses them: with their rules, and the shelf that they are stored on. */
import type { KubeObject } from '../kubernetes.ts';
import type { IndexBy } from '../store/collection.ts';
import type { Shelved, Store } from '../store/store.ts';
import type { Kind } from './api.ts';
import type { Strategy } from './strategies/strategy.ts';

/** Between the form that a version is served in and the form that is stored. */
export interface Conversion {
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

export interface Resource {
  readonly kind: Kind;
  /** "v1", "apps/v1". */
  readonly apiVersion: string;
  readonly strategy: Strategy;
  readonly shelf: Shelved;
  readonly hasStatus: boolean;
  /** Finalizers must say whose they are, as those of all built-in kinds. */
  readonly strictFinalizers: boolean;
  /** Undefined where the stored form is the served one. */
  readonly conversion: Conversion | undefined;
}

export interface Resources {
  /** Throws when the kind is not served. */
  of(kind: Kind): Resource;
  all(): readonly Kind[];
  find(group: string, version: string, plural: string): Kind | undefined;
  /** Several versions of one group and plural share their objects. Serving a kind again replaces its rules. */
  serve(kind: Kind, strategy: Strategy, options?: ServeOptions): void;
  withdraw(kind: Kind): void;
}

export interface ServeOptions {
  readonly indexBy?: IndexBy;
  readonly conversion?: Conversion;
  /** Default false. */
  readonly strictFinalizers?: boolean;
  /** "group/plural" of the shelf; default: the kind's own. */
  readonly storedAs?: string;
}

export const apiVersionOf = (kind: Kind) => (kind.group ? `${kind.group}/${kind.version}` : kind.version);

export const isNamespace = (kind: Kind) => kind.group === '' && kind.plural === 'namespaces';

const idOf = (kind: Kind) => `${kind.group}/${kind.version}/${kind.plural}`;

export function createResources(store: Store): Resources {
  const byIdentity = new Map<Kind, Resource>();
  const byId = new Map<string, Resource>();
  let kinds: readonly Kind[] = [];

  return {
    of(kind) {
      const resource = byIdentity.get(kind) ?? byId.get(idOf(kind));
      if (!resource) throw new TypeError(`the simulated API server does not serve ${idOf(kind)}`);
      return resource;
    },
    all: () => kinds,
    find: (group, version, plural) => byId.get(`${group}/${version}/${plural}`)?.kind,
    serve(kind, strategy, options = {}) {
      const before = byId.get(idOf(kind));
      if (before) byIdentity.delete(before.kind);
      const resource: Resource = {
        kind,
        apiVersion: apiVersionOf(kind),
        strategy,
        shelf: store.shelf(options.storedAs ?? `${kind.group}/${kind.plural}`, options.indexBy),
        hasStatus: kind.subresources.includes('status'),
        strictFinalizers: options.strictFinalizers ?? false,
        conversion: options.conversion,
      };
      byIdentity.set(kind, resource);
      byId.set(idOf(kind), resource);
      kinds = before ? kinds.map((other) => (other === before.kind ? kind : other)) : [...kinds, kind];
    },
    withdraw(kind) {
      const resource = byId.get(idOf(kind));
      if (!resource) return;
      byId.delete(idOf(kind));
      byIdentity.delete(resource.kind);
      kinds = kinds.filter((other) => other !== resource.kind);
    },
  };
}
