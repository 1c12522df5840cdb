import type { OutputFormat } from './command.ts';

/** The machine-readable form of a result. YAML is loaded only when it is asked for. */
export async function printObject(
  screen: { out(text: string): void },
  format: Exclude<OutputFormat, 'text'>,
  value: unknown,
): Promise<void> {
  if (format === 'json') return screen.out(JSON.stringify(value, null, 2));
  const { yamlText } = await import('./yaml-text.ts');
  screen.out(yamlText(value));
}
