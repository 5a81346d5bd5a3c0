"""Records that laws ask for, as sortable tables: food by FSMA 204, medicines by the DSCSA."""
