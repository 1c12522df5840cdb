/** Secrets are read when something is sent, kept for a minute, and shown nowhere. */
import type { SecretSource } from '../api/notify-channel.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import { DeliveryError } from './channel.ts';

export interface Secrets {
  /** Without white space around it: files end with a newline. @throws DeliveryError naming where it should be */
  read(source: SecretSource): Promise<string>;
  /** It was refused: the next reading asks again. */
  forget(source: SecretSource): void;
  /** The text without any secret that has been read, in whatever form it may come back. */
  redact(text: string): string;
}

export interface SecretsOptions {
  readonly clock: Clock;
  /** One key of a Secret, decoded. @throws any error, whose message must not hold the value */
  readonly readKey: (ref: NonNullable<SecretSource['secretRef']>) => Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<string>;
}

const KEEP_MS: Millis = 60_000;
// Shorter ones would blank out ordinary words, and protect nothing.
const LEAST_LENGTH = 4;
const SHOWN = '[secret]';

export function createSecrets({ clock, readKey, env, readFile }: SecretsOptions): Secrets {
  const known = new Map<string, { readonly at: Millis; readonly value: Promise<string> }>();
  const hidden = new Set<string>();

  const open = async (source: SecretSource): Promise<string> => {
    const place = placeOf(source);
    let value: string | undefined;
    try {
      if (source.secretRef) value = await readKey(source.secretRef);
      else if (source.file !== undefined) value = await readFile(source.file);
      else value = env[source.env ?? ''];
    } catch (error) {
      throw new DeliveryError(`${place}: ${error instanceof Error ? error.message : 'cannot be read'}`, { again: true });
    }
    const trimmed = value?.trim() ?? '';
    if (trimmed === '') throw new DeliveryError(`${place} is not set or empty`, { again: true });
    for (const form of formsOf(trimmed)) hidden.add(form);
    return trimmed;
  };

  return {
    read(source) {
      const key = JSON.stringify(source);
      const found = known.get(key);
      if (found && Math.abs(clock.now() - found.at) < KEEP_MS) return found.value;
      const value = open(source);
      known.set(key, { at: clock.now(), value });
      value.catch(() => known.delete(key)); // whoever asked hears of it
      return value;
    },
    forget: (source) => void known.delete(JSON.stringify(source)),
    redact(text) {
      let result = text;
      // The longest first: a part of one would leave its rest.
      for (const form of [...hidden].sort((a, b) => b.length - a.length)) result = result.replaceAll(form, SHOWN);
      return result;
    },
  };
}

/** For messages. */
function placeOf({ secretRef, file, env }: SecretSource): string {
  if (secretRef) return `Secret ${secretRef.namespace}/${secretRef.name}, key ${secretRef.key}`;
  return file === undefined ? `environment variable ${env ?? ''}` : `file ${file}`;
}

function formsOf(value: string): string[] {
  const parts = [value];
  if (URL.canParse(value)) {
    const { host, username, password, pathname, search, searchParams } = new URL(value);
    parts.push(username, password, pathname, pathname.slice(1), search.slice(1), `${pathname}${search}`);
    // The host of a webhook is no secret, unless nothing else of it could be one.
    if (pathname.length <= 1 && search === '') parts.push(host);
    parts.push(...[...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= 8));
  }
  return parts
    .flatMap((part) => [
      part,
      encodeURIComponent(part),
      JSON.stringify(part).slice(1, -1),
      Buffer.from(part).toString('base64'),
      Buffer.from(part).toString('base64url'),
    ])
    .filter((part) => part.length >= LEAST_LENGTH);
}
