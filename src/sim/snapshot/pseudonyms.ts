/** Pseudonyms: the same text becomes the same one wherever it stands, and what is made of the same parts stays made of the same parts. */
import { isIP } from 'node:net';

/** What every cluster has, or what Kubernetes looks for by name. */
const PUBLIC = new Set([
  'default',
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'kubernetes',
  'default-scheduler',
  'foregroundDeletion',
  'orphan',
  'system-node-critical',
  'system-cluster-critical',
  'true',
  'false',
]);
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** Of label values and of most names. */
const LONGEST = 63;
const PUBLIC_DOMAIN = /^(?:[\da-z-]+\.)*(?:kubernetes\.io|k8s\.io|drover\.dev)$/;
/** Labels that controllers write and read under names without a domain. */
const PUBLIC_KEYS = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'job-name',
  'metadata.name',
  'controller-uid',
]);

export interface Pseudonyms {
  /** Of a text as one thing, like a node's name: "node-7". */
  whole(prefix: string, text: string): string;
  /** That `name` gives this one for the whole text; the first to say so is right. */
  register(text: string, pseudonym: string): void;
  /**
   * Part by part, as "shop-db-0" becomes "n4-n9-0": a StatefulSet finds its pods by their names. Numbers stay, for they are ordinals; so do
   * uids and what every cluster has.
   */
  name(text: string): string;
  /** Of a label, taint, resource or topology: what belongs to Kubernetes or Drover stays. */
  key(text: string): string;
  address(text: string): string;
}

const isPublicKey = (key: string): boolean => {
  const slash = key.indexOf('/');
  return slash < 0 ? PUBLIC_KEYS.has(key) : PUBLIC_DOMAIN.test(key.slice(0, slash));
};

export function createPseudonyms(): Pseudonyms {
  const known = new Map<string, Map<string, string>>();
  const registered = new Map<string, string>();

  function numbered(prefix: string, text: string, form: (number: number) => string): string {
    let of = known.get(prefix);
    if (!of) known.set(prefix, (of = new Map()));
    let pseudonym = of.get(text);
    if (pseudonym === undefined) of.set(text, (pseudonym = form(of.size + 1)));
    return pseudonym;
  }

  const whole: Pseudonyms['whole'] = (prefix, text) => numbered(prefix, text, (number) => `${prefix}-${number}`);
  const part = (text: string) => (/^\d*$/.test(text) ? text : numbered('n', text, (number) => `n${number.toString(36)}`));

  const address: Pseudonyms['address'] = (text) => {
    const version = isIP(text);
    if (version === 0) return name(text);
    return numbered('address', text, (number) =>
      version === 4
        ? `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
        : `fd00::${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`,
    );
  };

  function name(text: string): string {
    if (PUBLIC.has(text) || UUID.test(text)) return text;
    const other = registered.get(text);
    if (other !== undefined) return other;
    if (isIP(text) !== 0) return address(text);
    const parts = text
      .split(/([^\dA-Za-z]+)/)
      .map((each, at) => (at % 2 === 0 ? part(each) : each))
      .join('');
    return parts.length > LONGEST ? whole('long', text) : parts;
  }

  return {
    whole,
    register(text, pseudonym) {
      if (!registered.has(text)) registered.set(text, pseudonym);
    },
    name,
    key: (text) => (isPublicKey(text) ? text : name(text)),
    address,
  };
}
