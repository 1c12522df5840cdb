/** Which metadata service a machine has, by its node's providerID. */

export const clouds = ['azure', 'aws', 'gcp', 'none'] as const;
export type Cloud = (typeof clouds)[number];

/** null: the node has no providerID yet (the cloud controller sets it a while after the node has joined). */
export function cloudOf(providerId: string | undefined): Cloud | null {
  if (!providerId) return null;
  const scheme = /^([a-z]+):\/\//i.exec(providerId)?.[1]?.toLowerCase();
  return scheme === 'azure' || scheme === 'aws' ? scheme : scheme === 'gce' ? 'gcp' : 'none';
}
