/**
 * The formats of strings that the server checks (kube-openapi pkg/validation/strfmt); others, int64 and double among them, it ignores.
 * Names are compared without dashes: date-time and datetime are one. Not here, and so never refused: isbn, creditcard, ssn, rgbcolor.
 */
import { isIPv4, isIPv6 } from 'node:net';

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined) return false;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date)) return false;
  const [, hours, minutes, seconds] = /^(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})$/.exec(time) ?? [];
  return hours !== undefined && hours <= '23' && (minutes ?? '') <= '59' && (seconds ?? '') <= '59';
}

/** Go's time.ParseDuration, and the looser form of Scala: some "12 days" anywhere in the text. */
function isDuration(text: string): boolean {
  if (/^[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/.test(text)) return true;
  const whole = ['ns', 'us', 'µs', 'ms', 's', 'm', 'h', 'hr', 'd', 'w', 'wk'];
  const beginnings = ['nano', 'micro', 'milli', 'sec', 'min', 'hour', 'day', 'week'];
  return [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].some(([, unit = '']) => {
    const name = unit.toLowerCase();
    return whole.includes(name) || beginnings.some((beginning) => name.startsWith(beginning));
  });
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits)) return false;
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

function isUri(text: string): boolean {
  return text.startsWith('/') || URL.canParse(text);
}

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);
const HEX = '[0-9a-f]';
const uuid = (third: string, fourth: string) =>
  matches(new RegExp(`^${HEX}{8}-?${HEX}{4}-?${third}-?${fourth}-?${HEX}{12}$`, 'i'));
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

const formats: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  uri: isUri,
  email: matches(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: (text) =>
    text.length <= 255 && text.split('.').every(matches(/^[\p{L}\p{S}\d]([\p{L}\p{S}\d-]{0,61}[\p{L}\p{S}\d])?$/u)),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matches(/^([0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$/i),
  uuid: uuid(`${HEX}{4}`, `${HEX}{4}`),
  uuid3: uuid(`3${HEX}{3}`, `${HEX}{4}`),
  uuid4: uuid(`4${HEX}{3}`, `[89ab]${HEX}{3}`),
  uuid5: uuid(`5${HEX}{3}`, `[89ab]${HEX}{3}`),
  hexcolor: matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && matches(new RegExp(`^${LABEL}$`))(text),
  k8slongname: (text) => text.length <= 253 && matches(new RegExp(`^${LABEL}(\\.${LABEL})*$`))(text),
};

/** Undefined for a format that is not checked. */
export function formatCheck(format: string | undefined): ((text: string) => boolean) | undefined {
  const name = format?.replaceAll('-', '') ?? '';
  return Object.hasOwn(formats, name) ? formats[name] : undefined;
}
