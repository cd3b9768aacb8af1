import { readVolume } from '@quickcolumn/io';
import { loadModel, predictScan } from '@quickcolumn/predict';
import { chooseRuntime } from '@quickcolumn/runtimes';
const model = await loadModel('demo/run/model.onnx', await chooseRuntime({ runtime: 'onnx' }));
const { labels } = await predictScan(model, await readVolume('demo/data/ct/phantom_0009.nii.gz'));
console.log(labels.voxels.length, labels.size.join('×'));
