/** The patient of a case. Cases of one patient must never lie on both sides of a split, so it travels with the case. */

/** Case name → patient, for datasets whose file names do not tell. Names it lacks fall back to `patientOf`. */
export type PatientMap = Readonly<Record<string, string>>;

/**
 * The patient a case belongs to, from its name. `radiopaedia_<case>_<study>_<series>` is grouped by the case number:
 * one Radiopaedia case is one patient, whatever the number of studies and series. Every other name, such as
 * `coronacases_001`, is a patient of its own.
 */
export function patientOf(name: string, patients?: PatientMap): string {
  if (patients && Object.hasOwn(patients, name)) return patients[name];
  return /^(radiopaedia_\d+)_\d+(_\d+)?$/.exec(name)?.[1] ?? name;
}
