/** Names, labels and uids: what is valid (apimachinery pkg/util/validation) and how the server makes its own. */

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;

const labelPattern = new RegExp(`^${LABEL}$`);
const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`);
const label1035Pattern = new RegExp(`^${LABEL_1035}$`);
const qualifiedPattern = new RegExp(`^${QUALIFIED}$`);
const labelValuePattern = new RegExp(`^${LABEL_VALUE}$`);

const examples = (list: readonly string[]) => list.map((example) => `'${example}'`).join(',  or ');
const patternError = (text: string, pattern: string, ...list: string[]) =>
  `${text} (e.g. ${examples(list)}, regex used for validation is '${pattern}')`;
const tooLong = (limit: number) => `must be no more than ${limit} characters`;

/** Says what is wrong with a name; nothing when it is right. `prefix`: characters will follow, it may end with a dash. */
export type NameRule = (name: string, prefix?: boolean) => readonly string[];

// As upstream's maskTrailingDash, which also eats the character before the dash.
const masked = (name: string, prefix: boolean) =>
  prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;

const rule =
  (pattern: RegExp, limit: number, text: string, source: string, ...list: string[]): NameRule =>
  (given, prefix = false) => {
    const name = masked(given, prefix);
    const errors: string[] = [];
    if (name.length > limit) errors.push(tooLong(limit));
    if (!pattern.test(name)) errors.push(patternError(text, source, ...list));
    return errors;
  };

export const dnsSubdomain = rule(
  subdomainPattern,
  253,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN,
  'example.com',
);

const labelRule = rule(
  labelPattern,
  63,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL,
  'my-name',
  '123-abc',
);

export const dnsLabel: NameRule = (given, prefix = false) => {
  const name = masked(given, prefix);
  if (!labelPattern.test(name) && subdomainPattern.test(name))
    return [...(name.length > 63 ? [tooLong(63)] : []), 'must not contain dots'];
  return labelRule(name);
};

export const dns1035Label = rule(
  label1035Pattern,
  63,
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  LABEL_1035,
  'my-name',
  'abc-123',
);

/** The rule of rbac and of every object's name: it must fit in one segment of a path. */
export const pathSegment: NameRule = (name, prefix = false) => {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((piece) => name.includes(piece)).map((piece) => `may not contain '${piece}'`);
};

const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

const MOST_REMEMBERED = 4096;
const qualified = new Set<string>();

/** A label key, an annotation key in lower case, a finalizer, a taint key. */
export function qualifiedNameErrors(key: string): readonly string[] {
  // The same few keys stand on every object of a cluster.
  if (qualified.has(key)) return [];
  const errors = qualifiedErrors(key);
  if (errors.length === 0 && qualified.size < MOST_REMEMBERED) qualified.add(key);
  return errors;
}

function qualifiedErrors(key: string): readonly string[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const errors: string[] = [];
  if (parts.length > 2) {
    const error = patternError(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc');
    return [`a qualified name ${error} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...dnsSubdomain(prefix).map((error) => `prefix part ${error}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${tooLong(63)}`);
  if (!qualifiedPattern.test(name))
    errors.push(`name part ${patternError(QUALIFIED_TEXT, QUALIFIED, 'MyName', 'my.name', '123-abc')}`);
  return errors;
}

export function labelValueErrors(value: string): readonly string[] {
  const errors: string[] = [];
  if (value.length > 63) errors.push(tooLong(63));
  if (!labelValuePattern.test(value)) {
    const text =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    errors.push(patternError(text, LABEL_VALUE, 'MyValue', 'my_value', '12345'));
  }
  return errors;
}

// No vowels and nothing that looks like another character: apimachinery pkg/util/rand.
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** `base` (cut to 58 characters) and five random ones. */
export function generateName(base: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < 5; i++) suffix += SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)];
  return base.slice(0, 58) + suffix;
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

/** A version 4 UUID from the seeded source. */
export function createUid(random: () => number): string {
  const a = Math.floor(random() * 2 ** 32);
  const b = Math.floor(random() * 2 ** 28);
  const c = Math.floor(random() * 2 ** 30);
  const d = Math.floor(random() * 2 ** 32);
  const variant = 0x8000 | (c & 0x3fff);
  const parts = [hex(a, 8), hex(b >>> 12, 4), `4${hex(b & 0xfff, 3)}`, hex(variant, 4), hex(c >>> 14, 4) + hex(d, 8)];
  // Joined, not concatenated: V8 keeps the pieces of a concatenation, and there are as many uids as objects.
  return parts.join('-');
}
