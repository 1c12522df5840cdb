/** Takes out of an observation what differs from one run to the next. */

const volatile: Readonly<Record<string, string>> = {
  uid: 'UID',
  resourceVersion: 'VERSION',
};

/** Upstream's alphabet of generated names and hashes: no vowels, so that no word appears. */
const GENERATED = /-[bcdfghjklmnpqrstvwxz2456789]{5,10}(?![a-z0-9])/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/**
 * The same observation as JSON, with NS for the case's namespace, TIME, UID, VERSION and XXXXX (generated part of a name) in place of
 * what they are this time. Undefined values go.
 */
export function normalise(observed: unknown, namespace: string): unknown {
  const inText = (text: string) =>
    text
      .replaceAll(namespace, 'NS')
      .replaceAll(TIME, 'TIME')
      .replaceAll(UUID, 'UID')
      .replaceAll(GENERATED, '-XXXXX')
      .replaceAll(/(resource version: \d+) \(\d+\)/gi, '$1 (VERSION)')
      .replaceAll(/(resource version: )\d+(, current: )\d+/gi, '$1VERSION$2VERSION');
  const inside = (value: unknown): unknown => {
    if (typeof value === 'string') return inText(value);
    if (Array.isArray(value)) return value.map(inside);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => {
        const token = volatile[key];
        return [inText(key), token && typeof each === 'string' && each !== '' ? token : inside(each)];
      }),
    );
  };
  return inside(JSON.parse(JSON.stringify(observed ?? null)));
}
