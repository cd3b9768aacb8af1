/** How to install oneDNN, for errors and for doctor. */
export const installation = 'apt-get install libdnnl2 (Debian 12) or libdnnl3.6 (Debian 13)';
