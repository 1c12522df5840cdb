/**
 * One copy of what many objects say alike: 150,000 pods have some thousand lists of containers, label sets and owners. Read from JSON, every
 * pod would have its own.
 */
import type { KubeObject } from '../kubernetes.ts';
import { same } from '../store/same.ts';

type Loose = Record<string, unknown>;

// Objects come by namespace and name, so that alike ones are near each other.
const PARTS = 20_000;
const STRINGS = 50_000;

/** Forgets all when it is full: what is needed again is soon known again. */
function createPool<T>(most: number): (key: string, make: () => T) => T {
  let known = new Map<string, T>();
  return (key, make) => {
    let value = known.get(key);
    if (value !== undefined) return value;
    value = make();
    if (known.size >= most) known = new Map();
    known.set(key, value);
    return value;
  };
}

/** Lists of which single elements are alike more often than the whole list is. */
const LISTS = new Set(['conditions', 'endpoints']);
/** Texts that are another one in each object, where looking for an equal one would only cost. */
const UNIQUE = new Set(['name', 'uid', 'podIP', 'volumeName', 'providerID', 'podCIDR']);
/** Of an endpoint: another one for each pod, but for some texts in it. */
const OWN = new Set(['addresses', 'targetRef']);
const NESTED = new Set(['metadata', 'spec', 'status']);

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;

/**
 * Returns a function that puts the parts of all objects before in place of equal parts of an object. It changes the object, which must be
 * nobody else's in its first two levels, and returns it.
 */
export function createSharing(): (object: KubeObject) => KubeObject {
  const parts = createPool<object>(PARTS);
  const strings = createPool<string>(STRINGS);
  /** By owner, or kind: most likely the one with the same parts, and asking it is many times cheaper than writing out a key. */
  const lastOf = new Map<string, KubeObject>();

  function part(field: string, value: unknown, sibling: unknown): unknown {
    if (typeof value === 'string') {
      if (value === sibling) return sibling;
      return UNIQUE.has(field) ? value : strings(value, () => value);
    }
    if (!isObject(value)) return value;
    if (LISTS.has(field) && Array.isArray(value))
      return elements(value as Loose[], Array.isArray(sibling) ? (sibling as Loose[]) : []);
    if (OWN.has(field)) return Array.isArray(value) ? value : fields(value, isObject(sibling) ? sibling : {});
    if (isObject(sibling) && same(value, sibling)) return sibling;
    return parts(JSON.stringify(value), () => (field === 'template' ? template(value) : value));
  }

  function elements(list: Loose[], sibling: readonly Loose[]): readonly Loose[] {
    let alike = list.length === sibling.length;
    for (const [at, element] of list.entries()) {
      const other = sibling[at];
      const isAlike = isObject(other) && same(element, other);
      list[at] = isAlike ? other : fields(element, isObject(other) ? other : {});
      alike &&= isAlike;
    }
    return alike ? sibling : list;
  }

  function fields(object: Loose, sibling: Readonly<Loose>): Loose {
    for (const field in object) object[field] = part(field, object[field], sibling[field]);
    return object;
  }

  /** Its spec is shared part by part, so that the pods made of it have the same containers as their template. */
  function template(given: Loose): Loose {
    for (const field of ['metadata', 'spec']) {
      const value = given[field];
      if (isObject(value)) given[field] = fields(value, {});
    }
    return given;
  }

  return (object) => {
    const key = object.metadata.ownerReferences?.[0]?.uid ?? object.kind;
    const sibling = (lastOf.get(key) ?? {}) as Readonly<Loose>;
    const own = object as unknown as Loose;
    for (const field in own) {
      const value = own[field];
      const other = sibling[field];
      if (NESTED.has(field) && isObject(value)) own[field] = fields(value, isObject(other) ? other : {});
      else own[field] = part(field, value, other);
    }
    lastOf.set(key, object);
    return object;
  };
}
