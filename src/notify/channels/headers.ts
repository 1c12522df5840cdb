import type { SecretSource } from '../../api/notify-channel.ts';
import { type ChannelDeps, DeliveryError } from '../channel.ts';

interface Header {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: SecretSource;
}

/** By name in lower case, so that a later one replaces an earlier one. */
export async function headersOf(headers: readonly Header[], { secret }: ChannelDeps): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, value, valueFrom } of headers) {
    const text = valueFrom ? await secret(valueFrom) : (value ?? '');
    // Node would refuse it with a message that holds it.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
      throw new DeliveryError(`the value of header ${name} holds characters that no header may hold`, { again: false });
    found[name.toLowerCase()] = text;
  }
  return found;
}

export async function urlOf(
  spec: { readonly url?: string; readonly urlFrom?: SecretSource },
  { secret }: ChannelDeps,
): Promise<string> {
  return spec.urlFrom ? await secret(spec.urlFrom) : (spec.url ?? '');
}
