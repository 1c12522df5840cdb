/**
 * Where the simulated cluster answers otherwise than a real one: "SUBJECT: NAME OF THE CASE" to the reason. A case that is listed and
 * does not differ fails, so that no entry outlives its reason.
 */
type Reasons = Readonly<Record<string, string>>;

export const differences: Reasons = {
  'talking: a stranger is told that he may not': 'whoever asks may do everything, unless the cluster is given access rules',
};
