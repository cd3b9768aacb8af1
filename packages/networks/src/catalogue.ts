/**
 * Every network under the name people call it, with its default configuration and its source: what `quickcolumn
 * networks` lists and what comparisons start from. Widths are the published ones; ablations are entries of their own.
 */
import type { NetworkConfig } from './network.js';
import type { QchcUnetConfig } from './qchc-unet.js';

export interface CatalogueEntry {
  /** Unique; the network's name unless it is an ablation. */
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly config: NetworkConfig;
}

const qchc: QchcUnetConfig = {
  name: 'qchc-unet',
  rootFilters: 16,
  resize: 'trilinear',
  bottomLevel: false,
  quickConnection: true,
  hypercolumn: true,
};

const paper = 'Zhang, Ren, Wei, Sci Rep 2021';

export const catalogue: readonly CatalogueEntry[] = [
  { id: 'qchc-unet', title: 'QC-HC U-Net', source: paper, config: qchc },
  {
    id: 'qchc-unet-no-quick',
    title: 'QC-HC U-Net without quick connection',
    source: `${paper}, ablation`,
    config: { ...qchc, quickConnection: false },
  },
  {
    id: 'qchc-unet-no-hypercolumn',
    title: 'QC-HC U-Net without hypercolumn',
    source: `${paper}, ablation`,
    config: { ...qchc, hypercolumn: false },
  },
  {
    id: 'qchc-unet-neither',
    title: 'QC-HC U-Net without either',
    source: `${paper}, ablation`,
    config: { ...qchc, quickConnection: false, hypercolumn: false },
  },
  {
    id: 'unet3d',
    title: '3D U-Net',
    source: 'Müller, Soto-Rey, Kramer 2020; Çiçek et al. 2016',
    config: { name: 'unet3d', rootFilters: 32 },
  },
  {
    id: 'residual-unet3d',
    title: 'Residual 3D U-Net',
    source: `${paper}, Fig. 5; He et al. 2016`,
    config: { name: 'residual-unet3d', rootFilters: 32 },
  },
  {
    id: 'dense-unet3d',
    title: 'Dense 3D U-Net',
    source: `${paper}, Fig. 6; Huang et al. 2017`,
    config: { name: 'dense-unet3d', rootFilters: 16 },
  },
  {
    id: 'dru-net',
    title: 'DRU-Net 3D',
    source: 'Jafari et al., ISBI 2020',
    config: { name: 'dru-net', rootFilters: 16 },
  },
  {
    id: 'unet-pp',
    title: 'U-Net++ 3D',
    source: 'Zhou et al., DLMIA 2018',
    config: { name: 'unet-pp', rootFilters: 32, deepSupervision: true },
  },
  {
    id: 'attention-unet3d',
    title: 'Attention U-Net 3D',
    source: 'Oktay et al., MIDL 2018',
    config: { name: 'attention-unet3d', rootFilters: 32 },
  },
  {
    id: 'vb-net',
    title: 'VB-Net',
    source: 'Shan et al. 2020; Milletari et al. 2016',
    config: { name: 'vb-net', rootFilters: 16 },
  },
  {
    id: 's3d-unet',
    title: 'S3D-UNet',
    source: 'Chen et al., BrainLes 2018',
    config: { name: 's3d-unet', rootFilters: 32 },
  },
  {
    id: 'deep-unet3d',
    title: 'Deeply supervised 3D U-Net',
    source: 'Dou et al., MedIA 2017',
    config: { name: 'deep-unet3d', rootFilters: 32 },
  },
  {
    id: 'nnunet3d',
    title: 'nnU-Net-style 3D U-Net',
    source: 'Ma et al. 2021; Isensee et al. 2021',
    config: { name: 'nnunet3d', rootFilters: 32, maxFilters: 320, deepSupervision: true },
  },
];
