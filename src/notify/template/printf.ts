/** Go's fmt.Sprintf for the verbs that messages use: v s d q t x X f e g c T and %%, with width, precision and the flags - 0 +. Pure. */
import { formatted, isList, isMap, isStruct, typeName, type Value } from './value.ts';

const VERB = /%([-+# 0]*)(\d+)?(?:\.(\d*))?([a-zA-Z%])?/g;

export function sprintf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replaceAll(
    VERB,
    (_, flags: string, width: string | undefined, precision: string | undefined, verb: string | undefined) => {
      if (verb === undefined) return '%!(NOVERB)';
      if (verb === '%') return '%';
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next];
      next += 1;
      const body = convert(verb, value, flags, precision === undefined ? undefined : Number(precision || 0));
      return pad(body, flags, width === undefined ? 0 : Number(width), typeof value === 'number');
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((value) => (value == null ? '<nil>' : `${typeName(value)}=${formatted(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function pad(text: string, flags: string, width: number, isNumber: boolean): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}

function convert(verb: string, value: Value, flags: string, precision: number | undefined): string {
  const sign = flags.includes('+') && typeof value === 'number' && value >= 0 ? '+' : '';
  const fits = isList(value) || isMap(value) || isStruct(value);
  switch (verb) {
    case 'v':
      return sign + formatted(value);
    case 's':
      if (typeof value === 'string') return precision === undefined ? value : [...value].slice(0, precision).join('');
      if (fits) return formatted(value);
      break;
    case 'q':
      if (typeof value === 'string') return quoted(value);
      if (isList(value)) return `[${value.map((each) => convert('q', each, flags, precision)).join(' ')}]`;
      break;
    case 'd':
      if (typeof value === 'number' && Number.isInteger(value)) return sign + String(value);
      break;
    case 't':
      if (typeof value === 'boolean') return String(value);
      break;
    case 'x':
    case 'X': {
      const hex =
        typeof value === 'string'
          ? Buffer.from(value).toString('hex')
          : typeof value === 'number' && Number.isInteger(value)
            ? value.toString(16)
            : null;
      if (hex !== null) return verb === 'X' ? hex.toUpperCase() : hex;
      break;
    }
    case 'f':
      if (typeof value === 'number' && !Number.isInteger(value)) return sign + value.toFixed(precision ?? 6);
      break;
    case 'c':
      if (typeof value === 'number' && Number.isInteger(value)) return String.fromCodePoint(value);
      break;
    case 'T':
      return typeName(value);
    default:
  }
  return value == null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${formatted(value)})`;
}

/** strconv.Quote, with what is printable left as it is. */
export function quoted(text: string): string {
  const known: Readonly<Record<string, string>> = {
    '"': '\\"',
    '\\': '\\\\',
    '\u0007': '\\a',
    '\b': '\\b',
    '\f': '\\f',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
  };
  const body = [...text].map((char) => {
    const escape = known[char];
    if (escape !== undefined) return escape;
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (char === ' ' || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) return char;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${body.join('')}"`;
}
