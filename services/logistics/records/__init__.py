"""Records that laws ask for, as sortable tables: food by FSMA 204, medicines by the DSCSA and by Regulation (EU) 2016/161."""
