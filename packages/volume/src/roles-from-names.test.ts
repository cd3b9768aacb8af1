import { describe, expect, it } from 'vitest';
import { covidClasses, type LabelClass, msdClasses } from './label-class.js';
import { withRoles } from './roles-from-names.js';

const named = (...names: string[]): LabelClass[] => names.map((name, value) => ({ value, name, color: [0, 0, 0] }));
const rolesOf = (...names: string[]): (string | undefined)[] => withRoles(named(...names)).map(({ role }) => role);

describe('withRoles', () => {
  it('gives the classes of earlier versions the roles that they declare today', () => {
    for (const classes of [covidClasses, msdClasses]) {
      expect(withRoles(classes.map(({ role: _role, ...rest }) => rest))).toEqual(classes);
    }
  });

  it.each([
    [
      ['air', 'lung_left', 'Right Lungs', 'Tumor'],
      [undefined, 'left-lung', 'right-lung', 'lesion'],
    ],
    [
      ['air', 'LungLeft', 'rightLung', 'lesions'],
      [undefined, 'left-lung', 'right-lung', 'lesion'],
    ],
    [
      ['air', 'lungs (left side)', '2 right lung', 'healthy tissue'],
      [undefined, 'left-lung', 'right-lung', undefined],
    ],
    [
      ['air', 'consolidation of left lung', 'left lung vessels', 'effusion, right lung'],
      [undefined, undefined, undefined, undefined],
    ],
    [
      ['air', 'liver', 'left kidney', 'both lungs'],
      [undefined, undefined, undefined, undefined],
    ],
  ])('reads %j', (names, roles) => expect(rolesOf(...names)).toEqual(roles));

  it('takes an infection of a lung for a lesion, never for the lung', () => {
    expect(rolesOf('air', 'infection of left lung', 'left lung', 'right lung', 'lesion of right lung')).toEqual([
      undefined,
      'lesion',
      'left-lung',
      'right-lung',
      'lesion',
    ]);
    expect(rolesOf('air', 'infection of left lung', 'infection of right lung')).toEqual([
      undefined,
      'lesion',
      'lesion',
    ]);
  });

  it('gives the background no role, whatever its name', () => {
    expect(rolesOf('no infection', 'left lung')).toEqual([undefined, 'left-lung']);
    expect(rolesOf('left lung or none', 'left lung')).toEqual([undefined, 'left-lung']);
  });

  it('does not take one lobe for the lung', () => {
    expect(rolesOf('air', 'left upper lung lobe', 'left lower lung lobe')).toEqual([undefined, undefined, undefined]);
    expect(rolesOf('air', 'left lung', 'whole left lung')).toEqual([undefined, undefined, undefined]);
    expect(rolesOf('air', 'left lung vessels', 'left lung')).toEqual([undefined, undefined, 'left-lung']);
  });

  it('leaves classes alone of which any has a role', () => {
    const classes: LabelClass[] = [...named('air', 'left lung', 'poumon droit')];
    classes[2] = { ...classes[2], role: 'right-lung' };
    expect(withRoles(classes)).toBe(classes);
  });
});
